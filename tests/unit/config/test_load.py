import os
import pickle
from collections.abc import Callable
from pathlib import Path

import pytest

from adc.config import ConfigErrors, Loaded, Mark, load

Load = Callable[..., Loaded]
Refused = Callable[..., list[str]]


BASE = "listeners: [{bind: 127.0.0.1:8080}]\n"


def told(folder: Path, env: dict[str, str] | None = None) -> list[str]:
    with pytest.raises(ConfigErrors) as caught:
        load(folder, env or {})
    return str(caught.value).replace(f"{folder}{os.sep}", "").splitlines()


def test_a_model_survives_the_way_to_a_worker(loaded: Load) -> None:
    config = loaded("routes: [{pool: a}]\npools: {a: [m:1]}\n").config
    assert pickle.loads(pickle.dumps(config)) == config


def test_a_model_cannot_be_changed(loaded: Load) -> None:
    config = loaded("").config
    with pytest.raises(ValueError, match="frozen"):
        config.node = "x"  # type: ignore[misc]


def test_a_folder_is_merged_by_key(tmp_path: Path) -> None:
    (tmp_path / "10.yaml").write_text(BASE + "routes: [{name: a, pool: x}]\npools: {x: [m:1]}")
    (tmp_path / "20.yaml").write_text(
        "routes: [{name: b, pool: y}]\npools: {y: [m:2]}\nshutdown: {grace: 1s}"
    )
    (tmp_path / "notes.txt").write_text("not a configuration")
    config = load(tmp_path, {}).config
    assert [route.name for route in config.routes] == ["a", "b"]
    assert list(config.pools) == ["x", "y"]
    assert config.shutdown.grace == 1


def test_key_in_two_files_is_reported_with_both_places(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(BASE + "node: x\npools:\n  p: [m:1]\nadmin: {bind: 'localhost:1'}")
    (tmp_path / "b.yaml").write_text("node: y\npools:\n  p: [m:2]\nadmin: {bind: 'localhost:2'}")
    at = tmp_path / "a.yaml"
    assert told(tmp_path) == [
        f"b.yaml:1:1: node: written twice; the first is at {at}:2:1".replace(f"{tmp_path}{os.sep}", ""),
        f"b.yaml:3:3: pools.p: written twice; the first is at {at}:4:3".replace(f"{tmp_path}{os.sep}", ""),
        f"b.yaml:4:9: admin.bind: written twice; the first is at {at}:5:9".replace(f"{tmp_path}{os.sep}", ""),
    ]


def test_errors_of_all_files_of_a_folder_are_told(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(BASE + "wrokers: 1")
    (tmp_path / "b.yaml").write_text("routes: [{pool: nope}]")
    lines = told(tmp_path)
    assert [line.split(":")[0] for line in lines] == ["a.yaml", "b.yaml"]


def test_a_name_in_a_file_that_cannot_be_read_is_not_called_unknown(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(BASE + "routes: [{pool: p}]")
    (tmp_path / "b.yaml").write_text("pools: {p: [m:1]")
    assert len(told(tmp_path)) == 1


def test_relative_paths_start_at_the_folder_of_the_file(loaded: Load, tmp_path: Path) -> None:
    config = loaded(
        "caches: {c: {disk: {path: cache, size: 1GB}}}\naccess_log: {path: logs/access.log}\n"
        "error_pages: {404: pages/404.html}\nplugin_paths: [plugins, /opt/plugins]\n"
        "pools: {p: ['unix:run/app.sock']}\n"
    ).config
    assert config.caches["c"].disk is not None
    assert config.caches["c"].disk.path == str(tmp_path / "cache")
    assert config.access_log.path == str(tmp_path / "logs/access.log")
    assert config.error_pages == {404: str(tmp_path / "pages/404.html")}
    assert config.plugin_paths == (str(tmp_path / "plugins"), "/opt/plugins")
    assert config.pools["p"].members[0].address.path == str(tmp_path / "run/app.sock")
    assert config.folder == str(tmp_path)


def test_variables_fill_values_of_any_type(loaded: Load) -> None:
    config = loaded("workers: ${W:-2}\nnode: ${N}\naccess_log: ${LOG:-off}\n", {"N": "n1"}).config
    assert (config.workers, config.node, config.access_log.path) == (2, "n1", "off")


def test_a_missing_variable_is_the_only_thing_said_about_its_value(refused: Refused) -> None:
    assert refused("shutdown: {grace: '${GRACE}'}\n") == [
        "1:19: shutdown.grace: environment variable GRACE is not set; set it or write ${GRACE:-default}"
    ]


def test_where_falls_back_to_the_nearest_parent(loaded: Load, tmp_path: Path) -> None:
    found = loaded("routes:\n  - name: a\n    match: {path: /x}\n    respond: 200\n")
    file = str(tmp_path / "adc.yaml")
    assert found.where(("routes", 0, "match", "path", 0, "exact")) == Mark(file, 3, 19)
    assert found.where(("routes", 0, "timeouts")) == Mark(file, 2, 5)
    assert list(found.files) == [file]


@pytest.mark.parametrize(
    "data", [b"", b"# nothing\n", b"[]", b"text", b"a: \xff", b"a: \0", b"\xfe\xff", b'"\\UFFFFFFFF"']
)
def test_a_file_without_a_configuration_is_refused(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "adc.yaml").write_bytes(data)
    assert told(tmp_path)[0].startswith("adc.yaml:")


def test_text_that_is_not_utf_8_is_reported_with_its_place(tmp_path: Path) -> None:
    (tmp_path / "adc.yaml").write_bytes(b"a: b\nnode: x\xff\n")
    assert told(tmp_path) == ["adc.yaml:2:8: not UTF-8 text"]


def test_a_byte_order_mark_is_skipped(tmp_path: Path) -> None:
    (tmp_path / "adc.yaml").write_bytes(b"\xef\xbb\xbf" + BASE.encode())
    assert load(tmp_path, {}).config.listeners[0].name == "listener-1"


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigErrors, match="No such file"):
        load(tmp_path / "nope.yaml", {})


def test_an_empty_folder_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigErrors, match=r"no \*.yaml file"):
        load(tmp_path, {})
