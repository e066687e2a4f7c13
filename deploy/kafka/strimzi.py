"""Topics and users as resources of the Strimzi operator, written to deploy/kubernetes/kafka.

`python -m deploy.kafka.strimzi write` writes them anew, `check` says whether they are what the contract says.
"""

import sys
from itertools import groupby
from pathlib import Path
from typing import Any

import yaml

from deploy.kafka.access import Grant, grants
from deploy.written import main
from shared.contract.topics import Topic, declared

FOLDER = Path(__file__).parents[1] / "kubernetes" / "kafka"
HEADER = "# Generated from the contract by `make schemas`; `make lint` compares.\n"
API = "kafka.strimzi.io/v1"
CLUSTER = {"strimzi.io/cluster": "earshot"}
COPIES = 3
"""Of every record; a write is acknowledged by two of them."""

Resource = dict[str, Any]


def documents() -> dict[str, str]:
    """Name and content of every file."""
    topics = [_topic(topic) for topic in declared()]
    users = [_user(name, list(given)) for name, given in groupby(grants(), key=lambda grant: grant.user)]
    kustomization = {
        "apiVersion": "kustomize.config.k8s.io/v1beta1",
        "kind": "Kustomization",
        "resources": ["topics.yaml", "users.yaml"],
    }
    return {
        "topics.yaml": HEADER + yaml.safe_dump_all(topics, sort_keys=False),
        "users.yaml": HEADER + yaml.safe_dump_all(users, sort_keys=False),
        "kustomization.yaml": HEADER + yaml.safe_dump(kustomization, sort_keys=False),
    }


def _topic(topic: Topic) -> Resource:
    return {
        "apiVersion": API,
        "kind": "KafkaTopic",
        "metadata": {"name": topic.name, "labels": CLUSTER},
        "spec": {
            "partitions": topic.partitions,
            "replicas": COPIES,
            "config": topic.config | {"min.insync.replicas": str(COPIES - 1)},
        },
    }


def _user(name: str, given: list[Grant]) -> Resource:
    return {
        "apiVersion": API,
        "kind": "KafkaUser",
        "metadata": {"name": name, "labels": CLUSTER},
        "spec": {
            "authentication": {"type": "scram-sha-512"},
            "authorization": {
                "type": "simple",
                "acls": [
                    {
                        "resource": {"type": grant.resource, "name": grant.name, "patternType": "literal"},
                        "operations": list(grant.operations),
                    }
                    for grant in given
                ],
            },
        },
    }


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], FOLDER, documents()))
