"""Renders the services' manifests for kustomize from one template.

`python -m deploy.kubernetes.render write` writes them anew, `check` says whether they are up to date.
"""

import sys
from pathlib import Path

import yaml
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from deploy.kafka.access import READ_EVERYTHING
from deploy.written import main
from services import SERVICES
from shared.contract.topics import PARTITIONS

FOLDER = Path(__file__).parent
HAND_WRITTEN = ("settings.yaml", "gateway.yaml")
SEND_MAIL = frozenset({"roadmap"})


def documents() -> dict[str, str]:
    """Name and content of every file of the base that is not written by hand."""
    # YAML, not HTML: there is nothing to escape, and every value is a name of ours.
    templates = Environment(loader=FileSystemLoader(FOLDER), undefined=StrictUndefined, autoescape=False)  # noqa: S701
    template = templates.get_template("service.yaml.j2")
    rendered = {
        f"{name}.yaml": template.render(
            name=name, partitions=PARTITIONS, calls_out=name in READ_EVERYTHING, sends_mail=name in SEND_MAIL
        )
        for name in (*SERVICES, *READ_EVERYTHING)
    }
    listed = {
        "apiVersion": "kustomize.config.k8s.io/v1beta1",
        "kind": "Kustomization",
        "resources": [*HAND_WRITTEN, *rendered],
    }
    return rendered | {"kustomization.yaml": yaml.safe_dump(listed, sort_keys=False)}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], FOLDER / "base", documents()))
