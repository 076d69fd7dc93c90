import pytest
import yaml

from adc.config import ConfigErrors
from adc.config.loading import load

TLS = {"certificates": [{"certificate": "a.crt", "key": "a.key"}]}


@pytest.mark.parametrize(
    ("listener", "told"),
    [
        ({"hsts": True}, r"listeners\[0\]\.hsts: is for a listener with tls"),
        ({"tls": TLS, "redirect_to_https": True}, r"redirect_to_https: is for a listener without tls"),
        ({"tls": {}}, "tls needs certificates"),
        ({"tls": {**TLS, "client_auth": "required"}}, "client_auth needs ca"),
        ({"tls": {**TLS, "ocsp": True}}, "ocsp"),
    ],
)
def test_settings_of_https_that_cannot_work_are_told(tmp_path, listener, told):
    file = tmp_path / "adc.yaml"
    routes = [{"respond": {"body": "x"}}]
    file.write_text(yaml.safe_dump({"listeners": [{"bind": "127.0.0.1:0", **listener}], "routes": routes}))
    with pytest.raises(ConfigErrors, match=told):
        load(file)
