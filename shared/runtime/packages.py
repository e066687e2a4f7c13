"""Where the code of a deployable lies."""

from importlib.util import find_spec


def package_of(name: str) -> str:
    """The package of a service, or of an adapter, which lies in `deploy`."""
    return f"services.{name}" if find_spec(f"services.{name}") else f"deploy.{name}"
