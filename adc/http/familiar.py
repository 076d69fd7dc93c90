"""Names of fields that clients and applications usually send, as they are usually spelled."""

from __future__ import annotations

from typing import Final

FAMILIAR: Final = tuple(
    b"""
    Accept Accept-CH Accept-Charset Accept-Encoding Accept-Language Accept-Ranges Access-Control-Allow-Credentials
    Access-Control-Allow-Headers Access-Control-Allow-Methods Access-Control-Allow-Origin
    Access-Control-Expose-Headers Access-Control-Max-Age Access-Control-Request-Headers
    Access-Control-Request-Method Age Allow Alt-Svc Authentication-Info Authorization Baggage Cache-Control
    CF-Connecting-IP CF-IPCountry CF-Ray CF-Visitor Content-Disposition Content-Encoding Content-Language
    Content-Length Content-Location Content-Range Content-Security-Policy Content-Security-Policy-Report-Only
    Content-Type Cookie Cross-Origin-Embedder-Policy Cross-Origin-Opener-Policy Cross-Origin-Resource-Policy Date
    Depth Destination DNT Early-Data ETag Expect Expires Forwarded From Host HTTP2-Settings If If-Match
    If-Modified-Since If-None-Match If-Range If-Unmodified-Since Keep-Alive Last-Modified Link Location Lock-Token
    Max-Forwards MIME-Version NEL Origin Overwrite P3P Permissions-Policy Pragma Priority Proxy-Connection Range
    Referer Referrer-Policy Report-To Retry-After Save-Data Sec-CH-UA Sec-CH-UA-Arch Sec-CH-UA-Full-Version-List
    Sec-CH-UA-Mobile Sec-CH-UA-Model Sec-CH-UA-Platform Sec-Fetch-Dest Sec-Fetch-Mode Sec-Fetch-Site Sec-Fetch-User
    Sec-GPC Sec-WebSocket-Accept Sec-WebSocket-Extensions Sec-WebSocket-Key Sec-WebSocket-Protocol
    Sec-WebSocket-Version Server Server-Timing Set-Cookie SOAPAction Strict-Transport-Security TE Timeout
    Timing-Allow-Origin Trailer Transfer-Encoding True-Client-IP Upgrade Upgrade-Insecure-Requests User-Agent Vary
    Via WWW-Authenticate Warning X-Amz-Content-SHA256 X-Amz-Date X-Amz-Security-Token X-Amzn-Trace-Id X-Api-Key
    X-Cache X-Client-IP X-Content-Type-Options X-Correlation-ID X-CSRF-Token X-CSRFToken X-DNS-Prefetch-Control
    X-Download-Options X-Forwarded-Client-Cert X-Forwarded-For X-Forwarded-Host X-Forwarded-Proto X-Frame-Options
    X-HTTP-Method-Override X-Permitted-Cross-Domain-Policies X-Powered-By X-Real-IP X-Request-ID X-Requested-With
    X-Robots-Tag X-Runtime X-UA-Compatible X-XSRF-Token X-XSS-Protection traceparent tracestate
    """.split()
)
