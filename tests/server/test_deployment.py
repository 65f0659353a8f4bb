"""The Dockerfile, compose.yaml, the Kubernetes manifests and nginx.conf are valid and match the server."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml
from command_line import Run
from server_process import Server

from gan_serve import __version__
from gan_serve.server.settings import PREFIX, Settings

ROOT = Path(__file__).parents[2]
DOCKERFILE = (ROOT / "Dockerfile").read_text()
NGINX = (ROOT / "deploy" / "nginx.conf").read_text()
MANIFESTS = {path.name: yaml.safe_load(path.read_text()) for path in (ROOT / "deploy" / "kubernetes").glob("*.yaml")}
KUSTOMIZATION = MANIFESTS.pop("kustomization.yaml")
COMPOSE = yaml.safe_load((ROOT / "compose.yaml").read_text())
POD = MANIFESTS["deployment.yaml"]["spec"]["template"]["spec"]
(CONTAINER,) = POD["containers"]
PORT = Settings.model_fields["port"].default


def instructions(name: str) -> list[str]:
    """Return the arguments of every Dockerfile instruction of this name."""
    whole = re.sub(r"\\\n\s*", "", DOCKERFILE)
    return re.findall(rf"^{name} (.*)$", whole, re.MULTILINE)


def environments() -> Iterator[dict[str, str]]:
    """Yield the environment variables that each file sets."""
    yield dict(word.split("=", 1) for line in instructions("ENV") for word in line.split())
    yield from (service["environment"] for service in COMPOSE["services"].values())
    yield {variable["name"]: variable.get("value", "") for variable in CONTAINER["env"]}


def seconds(text: str) -> float:
    return float(text.removesuffix("s"))


@pytest.mark.parametrize("manifest", MANIFESTS.values(), ids=MANIFESTS.keys())
@pytest.mark.parametrize("version", ["1.29", "1.37"])
def test_kubernetes_accepts_the_manifests(manifest: dict[str, Any], version: str) -> None:
    assert kubernetes_validate.validate(manifest, version, strict=True) == version


def test_the_kustomization_has_every_manifest_and_the_version() -> None:
    assert sorted(KUSTOMIZATION["resources"]) == sorted(MANIFESTS)
    assert [(image["name"], image["newTag"]) for image in KUSTOMIZATION["images"]] == [
        (CONTAINER["image"], __version__)
    ]


def test_compose_accepts_its_file() -> None:
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec", "compose.yaml"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_the_images_share_one_pinned_base_and_the_default_is_for_cpus() -> None:
    stages = [line.split(" AS ") for line in instructions("FROM")]
    names = [name for _, name in stages]
    (outside,) = {base for base, _ in stages} - set(names)
    assert re.fullmatch(r"python:3\.\d+\.\d+-slim-[a-z]+", outside)
    assert names[-1] == "cpu"
    assert {service["build"]["target"] for service in COMPOSE["services"].values()} == {"cpu", "gpu"} <= set(names)
    (labels,) = instructions("LABEL")
    assert f'version="{__version__}"' in labels
    assert f'base.name="docker.io/library/{outside}"' in labels


def test_the_build_context_holds_exactly_what_is_copied() -> None:
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    seen = {line.removeprefix("!") for line in lines if line.startswith("!")}
    own = [line.split()[:-1] for line in instructions("COPY") if not line.startswith("--from=")]
    assert {Path(source).parts[0] for sources in own for source in sources} == seen
    assert all((ROOT / name).exists() for name in seen)


@pytest.mark.parametrize(
    "line", instructions("CMD") + [line.partition(" CMD ")[2] for line in instructions("HEALTHCHECK")]
)
def test_the_image_runs_an_existing_command(line: str, run: Run) -> None:
    (entry,) = instructions("ENTRYPOINT")
    command = json.loads(line)
    words = command if command[0] == "gan-serve" else json.loads(entry) + command
    assert words[0] == "gan-serve"
    assert run(*words[1:], "--help").code == 0


def test_every_variable_is_a_setting_with_a_valid_value() -> None:
    for environment in environments():
        own = {
            name.removeprefix(PREFIX).lower(): value for name, value in environment.items() if name.startswith(PREFIX)
        }
        assert own
        assert set(own) <= set(Settings.model_fields)
        Settings(**own)  # type: ignore[arg-type]


def test_the_ports_match_the_server() -> None:
    (exposed,) = instructions("EXPOSE")
    (named,) = CONTAINER["ports"]
    (offered,) = MANIFESTS["service.yaml"]["spec"]["ports"]
    assert int(exposed) == named["containerPort"] == PORT
    assert offered["targetPort"] == named["name"]
    assert {int(each.rpartition(":")[2]) for service in COMPOSE["services"].values() for each in service["ports"]} == {
        PORT
    }
    assert f"server 127.0.0.1:{PORT};" in NGINX


def test_the_probes_use_routes_of_the_server(server: Server) -> None:
    probes = [CONTAINER[f"{kind}Probe"]["httpGet"] for kind in ("startup", "liveness", "readiness")]
    assert {probe["port"] for probe in probes} == {CONTAINER["ports"][0]["name"]}
    assert [server.get(probe["path"]).status_code for probe in probes] == [200, 200, 200]


def test_the_service_the_autoscaler_and_the_budget_select_the_deployment() -> None:
    labels = MANIFESTS["deployment.yaml"]["spec"]["template"]["metadata"]["labels"]
    assert MANIFESTS["service.yaml"]["spec"]["selector"] == labels
    assert MANIFESTS["disruption-budget.yaml"]["spec"]["selector"]["matchLabels"] == labels
    target = MANIFESTS["autoscaler.yaml"]["spec"]["scaleTargetRef"]
    assert (target["kind"], target["name"]) == ("Deployment", MANIFESTS["deployment.yaml"]["metadata"]["name"])


def test_no_service_link_becomes_a_setting() -> None:
    """A service named `gan-serve` would set GAN_SERVE_PORT=tcp://..., and the server would not start."""
    assert POD["enableServiceLinks"] is False


def test_the_grace_period_outlasts_the_last_response() -> None:
    drained = Settings().grace
    lingers = {variable["name"]: variable.get("value") for variable in CONTAINER["env"]}
    assert POD["terminationGracePeriodSeconds"] >= drained + float(lingers["GAN_SERVE_LINGER"])
    for service in COMPOSE["services"].values():
        assert seconds(service["stop_grace_period"]) >= drained + Settings.model_fields["linger"].default


def test_the_proxys_limits_match_the_servers() -> None:
    values = dict(re.findall(r"^ *(\w+) ([\w.]+);", NGINX, re.MULTILINE))
    assert int(values["client_max_body_size"].removesuffix("m")) << 20 == Settings.model_fields["max_body"].default
    assert seconds(values["proxy_read_timeout"]) > Settings().grace


def test_compose_and_kubernetes_run_without_privileges() -> None:
    (user,) = instructions("USER")
    assert re.fullmatch(r"[1-9]\d*:[1-9]\d*", user)
    pod, own = POD["securityContext"], CONTAINER["securityContext"]
    assert user == f"{pod['runAsUser']}:{pod['runAsGroup']}"
    assert pod["runAsNonRoot"]
    assert pod["seccompProfile"]["type"] == "RuntimeDefault"
    assert (own["readOnlyRootFilesystem"], own["allowPrivilegeEscalation"]) == (True, False)
    assert own["capabilities"]["drop"] == ["ALL"]
    for service in COMPOSE["services"].values():
        assert (service["read_only"], service["cap_drop"]) == (True, ["ALL"])
        assert service["security_opt"] == ["no-new-privileges:true"]
