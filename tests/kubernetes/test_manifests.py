"""The manifests are what Kubernetes, Strimzi and KEDA accept, and what the services need."""

import json
import shutil
import subprocess
from collections import Counter
from functools import cache
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml
from jsonschema import Draft7Validator

from deploy.kafka import strimzi
from deploy.kafka.access import READ_EVERYTHING, user_of
from deploy.kubernetes import render
from deploy.written import main
from services import SERVICES

FOLDER = Path(render.__file__).parent
CRDS = Path(__file__).parent / "crds"
VERSIONS = ("1.31", "1.34", "1.37")
DEPLOYED = (*SERVICES, *READ_EVERYTHING)
FILES = [file for folder in ("base", "kafka") for file in sorted((FOLDER / folder).glob("*.yaml"))]
RESOURCE_FILES = [file for file in FILES if file.name != "kustomization.yaml"]

Resource = dict[str, Any]


@cache
def _text_of_all() -> str:
    return json.dumps([document for file in RESOURCE_FILES for document in yaml.safe_load_all(file.read_text())])


def _resources() -> list[Resource]:
    """Every resource, for the caller to change as it likes."""
    resources: list[Resource] = json.loads(_text_of_all())
    return resources


def _of_kind(kind: str) -> dict[str, Resource]:
    return {one["metadata"]["name"]: one for one in _resources() if one["kind"] == kind}


def _faults(resource: Resource, version: str = VERSIONS[-1]) -> list[str]:
    """What the resource's own schema finds in it."""
    crd = CRDS / f"{resource['kind']}.json"
    if crd.exists():
        return [error.message for error in Draft7Validator(json.loads(crd.read_text())).iter_errors(resource)]
    try:
        kubernetes_validate.validate(resource, version, strict=True)
    except kubernetes_validate.ValidationError as wrong:
        return [str(wrong)]
    return []


@pytest.mark.parametrize("version", VERSIONS)
def test_every_resource_obeys_its_schema(version: str) -> None:
    """Kubernetes' own strict schemas, Strimzi's and KEDA's find nothing in any resource."""
    found = {f"{one['kind']} {one['metadata']['name']}": _faults(one, version) for one in _resources()}
    assert len(found) > 60
    assert {name: faults for name, faults in found.items() if faults} == {}


@pytest.mark.parametrize(
    ("kind", "path", "value"),
    [
        ("Deployment", ("spec", "template", "spec", "containers", 0, "imagePullPolice"), "Always"),
        ("Deployment", ("spec", "strategy", "type"), 1),
        ("PodDisruptionBudget", ("spec", "maxUnavailble"), 1),
        ("KafkaTopic", ("spec", "partitions"), "twelve"),
        ("KafkaUser", ("spec", "authorization", "acls", 0, "operations"), ["Reed"]),
        ("ScaledObject", ("spec", "maxReplicas"), 3),
        ("TriggerAuthentication", ("spec", "secretTargetRefs"), []),
    ],
)
def test_a_mistake_in_a_resource_is_found(kind: str, path: tuple[str | int, ...], value: object) -> None:
    """The validation fails for misspelt fields and for values of another kind."""
    resource = next(iter(_of_kind(kind).values()))
    place: Any = resource
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    assert _faults(resource)


def test_committed_manifests_are_what_the_contract_says() -> None:
    """The generated files are up to date."""
    assert main("check", FOLDER / "base", render.documents()) == 0
    assert main("check", FOLDER / "kafka", strimzi.documents()) == 0


def test_an_outdated_manifest_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A file that differs or is missing fails the check by its name."""
    assert main("write", tmp_path, {"a.yaml": "a: 1\n", "b.yaml": "b: 1\n"}) == 0
    (tmp_path / "a.yaml").write_text("a: 2\n")
    (tmp_path / "b.yaml").unlink()
    assert main("check", tmp_path, {"a.yaml": "a: 1\n", "b.yaml": "b: 1\n"}) == 1
    told = capsys.readouterr().err
    assert "a.yaml is out of date" in told
    assert "b.yaml is out of date" in told


@pytest.mark.parametrize("name", DEPLOYED)
def test_every_service_has_all_it_needs(name: str) -> None:
    """Deployment, service, budget, scaling, network policy, migration and Kafka user exist under one name."""
    full = f"earshot-{name}"
    for kind in (
        "Deployment",
        "Service",
        "PodDisruptionBudget",
        "ScaledObject",
        "TriggerAuthentication",
        "NetworkPolicy",
    ):
        assert full in _of_kind(kind), kind
    assert f"{full}-migrate" in _of_kind("Job")
    assert user_of(name) in _of_kind("KafkaUser")


@pytest.mark.parametrize("name", [*DEPLOYED, "gateway"])
def test_a_pod_can_do_no_more_than_it_must(name: str) -> None:
    """No root, no writable root folder, no capability, no token for the cluster, no limitless memory."""
    pod = _of_kind("Deployment")[f"earshot-{name}"]["spec"]["template"]["spec"]
    [container] = pod["containers"]
    assert pod["automountServiceAccountToken"] is False
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert "memory" in container["resources"]["limits"]
    assert container["readinessProbe"]
    assert container["livenessProbe"]["httpGet"]["path"] == "/healthz"


def test_secrets_come_by_reference_alone() -> None:
    """No manifest holds a Secret or a variable whose name says it is one."""
    assert Counter(one["kind"] for one in _resources())["Secret"] == 0
    named = [
        variable["name"]
        for one in _resources()
        if one["kind"] in {"Deployment", "Job"}
        for container in one["spec"]["template"]["spec"]["containers"]
        for variable in container.get("env", [])
        if "value" in variable
    ]
    assert sorted(set(named)) == [
        "EARSHOT_KAFKA_USER",
        "EARSHOT_SECRETS_DIR",
        "EARSHOT_SERVICE_URLS",
        "EARSHOT_SIGNING_KEY",
    ]


@pytest.mark.parametrize("name", DEPLOYED)
def test_a_service_is_scaled_by_its_own_groups_lag(name: str) -> None:
    """KEDA watches the group the service consumes in, from two to as many instances as there are partitions."""
    spec = _of_kind("ScaledObject")[f"earshot-{name}"]["spec"]
    lag, _cpu = spec["triggers"]
    assert (spec["minReplicaCount"], spec["maxReplicaCount"]) == (2, 12)
    assert lag["metadata"]["consumerGroup"] == name


def test_only_the_webhooks_may_call_the_internet_and_no_private_address() -> None:
    """One policy allows addresses anywhere, without those of private networks and of the cloud's metadata."""
    open_to = {
        policy: rule["to"][0]["ipBlock"]
        for policy, resource in _of_kind("NetworkPolicy").items()
        for rule in resource["spec"]["egress"]
        if "ipBlock" in rule.get("to", [{}])[0]
    }
    assert list(open_to) == ["earshot-webhooks"]
    assert {"10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16", "127.0.0.0/8"} <= set(
        open_to["earshot-webhooks"]["except"]
    )


def test_the_example_changes_what_exists() -> None:
    """Every patch of the example meets a resource and a field, and every image is one that is deployed."""
    example = yaml.safe_load((FOLDER / "example" / "kustomization.yaml").read_text())
    for patch in example["patches"]:
        resource: Any = _of_kind(patch["target"]["kind"])[patch["target"]["name"]]
        for change in yaml.safe_load(patch["patch"]):
            place = resource
            for step in change["path"].strip("/").split("/"):
                place = place[step]
    assert {image["name"] for image in example["images"]} == {f"earshot-{name}" for name in (*DEPLOYED, "gateway")}


@pytest.mark.skipif(shutil.which("kubectl") is None, reason="kubectl renders kustomize's folders and is not here")
def test_kustomize_renders_the_example() -> None:
    """Kubectl puts every resource into the example's namespace, with the example's images."""
    done = subprocess.run(
        ["kubectl", "kustomize", str(FOLDER / "example")], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    rendered = list(yaml.safe_load_all(done.stdout))
    assert len(rendered) == len(_resources())
    assert {one["metadata"]["namespace"] for one in rendered} == {"earshot"}
    images = {
        container["image"]
        for one in rendered
        if one["kind"] == "Deployment"
        for container in one["spec"]["template"]["spec"]["containers"]
    }
    assert images == {f"registry.example/earshot-{name}:1.0.0" for name in (*DEPLOYED, "gateway")}
