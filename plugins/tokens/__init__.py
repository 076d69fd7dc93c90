"""Signed tokens: `jwt` checks those that clients bring, `oidc` gets them by a login."""
