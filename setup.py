"""What pyproject.toml cannot say: folders that are installed under another name."""

from setuptools import find_namespace_packages, find_packages, setup

FOLDERS = {"adc_plugins": "plugins", "adc_examples": "config"}


def mapped(package: str, folder: str) -> list[str]:
    """`folder` and what is below it, as `package` and its subpackages."""
    return [package, *(f"{package}.{name}" for name in find_namespace_packages(folder))]


setup(
    packages=[
        *find_packages(include=["adc", "adc.*"]),
        *(name for package, folder in FOLDERS.items() for name in mapped(package, folder)),
    ],
    package_dir={"adc": "adc", **FOLDERS},
)
