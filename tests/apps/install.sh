#!/bin/sh
# Real web applications for `make test-apps`, in an environment of their own: JupyterLab with a kernel, Wagtail, gunicorn,
# copyparty, and moto as an S3 store.
# MediaWiki is Debian's: apt install --no-install-recommends mediawiki php-cli php-sqlite3 php-mbstring php-xml
set -eu
folder=${1:-.venv-apps}
python=${PYTHON:-python3}
test -x "$folder/bin/python" || "$python" -m venv "$folder"
"$folder/bin/python" -m pip install --quiet --disable-pip-version-check 'jupyterlab>=4.3,<5' 'ipykernel>=6.29' 'wagtail>=6.3' \
  'gunicorn>=23' 'copyparty>=1.16' 'moto[server,s3]>=5' 'boto3>=1.36'
touch "$folder/.installed"
