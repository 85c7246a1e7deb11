"""Settings are read from four places, and everything wrong with them is said at once."""

from pathlib import Path
from typing import Literal

import pytest
from pydantic import BaseModel, ConfigDict, Field, SecretStr

from configuration import ConfigurationError, load


class Recipe(BaseModel):
    """A recipe for the tests."""

    model_config = ConfigDict(extra="forbid")

    rows: Path = Field(description="where the rows are")
    learning_rate: float = Field(default=1e-4, gt=0, le=1, description="100 % of the step size")
    steps: int = Field(default=10, ge=1, description="how many")
    kind: Literal["a", "b"] = Field(default="a", description="which")
    mode: Literal["c", "d"] | None = Field(default=None, description="which other")
    quiet: bool = Field(default=False, description="say less")
    targets: list[str] | None = Field(default=None, description="which layers")
    key: SecretStr | None = Field(default=None, description="secret")


def read(*argv: str, env_prefix: str | None = None) -> Recipe:
    return load(Recipe, argv, prog="recipe", file_flag="--recipe", env_prefix=env_prefix)


def test_flags_win_over_environment_over_file_over_defaults(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "r.yaml"
    file.write_text("rows: f.csv\nlearning_rate: 2e-4\nsteps: 3\n")
    monkeypatch.setenv("TEST_STEPS", "4")
    monkeypatch.setenv("TEST_QUIET", "true")
    recipe = read("--recipe", str(file), "--no-quiet", "--kind", "b", env_prefix="TEST_")
    assert recipe == Recipe(rows=Path("f.csv"), learning_rate=2e-4, steps=4, kind="b", quiet=False)


def test_lists_are_written_as_yaml() -> None:
    assert read("--rows", "x", "--targets", "[q_proj, v_proj]").targets == ["q_proj", "v_proj"]


def test_an_unknown_key_names_the_nearest_one_and_the_file(tmp_path: Path) -> None:
    file = tmp_path / "r.yaml"
    file.write_text("rows: f.csv\nlerning_rate: 1\n")
    with pytest.raises(
        ConfigurationError, match=r"r\.yaml: unknown key 'lerning_rate'.*learning_rate\?"
    ):
        read("--recipe", str(file))


def test_an_unknown_flag_names_the_nearest_one() -> None:
    with pytest.raises(ConfigurationError, match=r"unknown argument '--stps'.*--steps\?"):
        read("--rows", "x", "--stps", "3")


def test_flags_are_not_abbreviated() -> None:
    with pytest.raises(ConfigurationError, match=r"unknown argument '--learning'"):
        read("--rows", "x", "--learning", "3")


def test_an_unknown_variable_of_ours_is_a_problem_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEST_STEP", "4")
    with pytest.raises(ConfigurationError, match=r"\$TEST_STEP.*TEST_STEPS\?"):
        read("--rows", "x", env_prefix="TEST_")


def test_variables_of_other_parts_are_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    others = ("LORADOCK_DEVICE", "LORADOCK_STORE", "LORADOCK_SHARED_DATA", "LORADOCK_EVALUATE_URL")
    for variable in others:
        monkeypatch.setenv(variable, "x")
    assert read("--rows", "x", env_prefix="LORADOCK_").rows == Path("x")
    with pytest.raises(ConfigurationError, match=r"\$LORADOCK_EVALUATE_URL"):
        read("--rows", "x", env_prefix="LORADOCK_EVALUATE_")


def test_every_problem_is_reported_at_once_with_value_and_place() -> None:
    with pytest.raises(ConfigurationError) as caught:
        read("--learning-rate", "7", "--steps", "many")
    text = str(caught.value)
    assert "3 problems" in text
    assert "rows is required" in text
    assert "learning_rate='7' (from --learning-rate)" in text
    assert "steps='many'" in text


def test_a_secret_is_never_repeated() -> None:
    with pytest.raises(ConfigurationError) as caught:
        load(Recipe, ["--rows", "x", "--kind", "c"], prog="r", file_flag="--recipe")
    assert "'c'" in str(caught.value)
    with pytest.raises(ConfigurationError) as caught:
        Short.read()
    assert "hunter2" not in str(caught.value)


class Short(BaseModel):
    """A setting with a secret that has a bound."""

    key: SecretStr = Field(min_length=16, description="secret")

    @classmethod
    def read(cls) -> "Short":
        return load(cls, ["--key", "hunter2"], prog="r", file_flag="--recipe")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"- a\n- b\n", "holds a list, expected `name: value` lines"),
        (b"a: [1\n", "is not YAML"),
        (b"\xff\xfe\x00", "is not YAML in UTF-8"),
    ],
)
def test_a_file_that_is_not_settings_is_refused(
    tmp_path: Path, content: bytes, message: str
) -> None:
    file = tmp_path / "r.yaml"
    file.write_bytes(content)
    with pytest.raises(ConfigurationError, match=message):
        read("--recipe", str(file))


def test_a_file_that_is_not_there_is_named() -> None:
    with pytest.raises(ConfigurationError, match=r"nowhere\.yaml: No such file"):
        read("--recipe", "nowhere.yaml")


def test_help_lists_every_setting_with_default_and_description(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit) as caught:
        read("--help")
    assert caught.value.code == 0
    text = capsys.readouterr().out
    for word in ("--learning-rate", "100 % of the step size", "[default: 0.0001]", "[required]"):
        assert word in text
    assert "--kind {a,b}" in text
    assert "--mode {c,d}" in text
    assert "--targets TARGETS" in text
