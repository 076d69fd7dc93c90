import importlib.util

import pytest

from benchmarks import waf_rows
from benchmarks.processes import StartError
from benchmarks.waf_cases import CASES
from benchmarks.waf_engines import crs_folder, missing
from benchmarks.waf_process import VARIANTS, measure
from benchmarks.waf_rows import WAF_ROWS, EngineProcess, run_waf_rows


class ScriptedEngine:
    """An engine in place of a process; `broken` names those that do not start."""

    broken = ""
    stopped: list

    def __init__(self, engine, level, cache):
        if engine == self.broken:
            raise StartError("cannot load")
        self.engine = engine
        self.loaded = {"start_s": 0.5}

    def measure(self, case, seconds):
        return {"cpu_us": 30.0 if self.engine == "adc" else 100.0}

    def stop(self):
        self.stopped.append(self.engine)


@pytest.fixture
def scripted(monkeypatch):
    monkeypatch.setattr(waf_rows, "EngineProcess", ScriptedEngine)
    monkeypatch.setattr(waf_rows, "missing", lambda engine: "")
    monkeypatch.setattr(ScriptedEngine, "stopped", [], raising=False)
    return ScriptedEngine


def run(*names, folder=None):
    rows = [WAF_ROWS[name] for name in names]
    return run_waf_rows(rows, ["adc", "libmodsecurity"], 1, 2, folder, lambda line: None)


def test_ratios_are_taken_to_libmodsecurity(scripted):
    (result,) = run("waf-get-1")
    assert result.ratio("adc") == pytest.approx(0.3)
    assert result.rounds["adc"] == [{"start_s": 0.5, "cpu_us": 30.0}] * 2


def test_rows_of_one_level_share_the_processes_that_found_a_full_cache(scripted):
    assert len(run("waf-get-1", "waf-form-1", "waf-get-2")) == 3
    assert len(scripted.stopped) == 2 * 2 * 2


def test_an_engine_that_does_not_start_is_skipped_with_its_words(scripted, monkeypatch):
    monkeypatch.setattr(scripted, "broken", "libmodsecurity")
    (result,) = run("waf-get-1")
    assert result.skipped == {"libmodsecurity": "cannot load"}
    assert result.ratio("adc") is None


def test_without_the_crs_both_engines_are_skipped(monkeypatch, tmp_path):
    monkeypatch.setenv("ADC_CRS", str(tmp_path))
    (result,) = run("waf-json-1")
    assert result.skipped == dict.fromkeys(
        ["libmodsecurity", "adc"], "no OWASP CRS: name its folder with ADC_CRS"
    )


def test_libmodsecurity_that_is_not_installed_is_named(monkeypatch, tmp_path):
    (tmp_path / "rules").mkdir()
    monkeypatch.setenv("ADC_CRS", str(tmp_path))
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert missing("libmodsecurity") == "libmodsecurity not installed: pip install libmodsecurity"
    assert missing("adc") == ""


def test_cpu_time_is_divided_by_the_requests():
    asked = []

    def engine(case):
        asked.append(case)
        return (1, 2) if len(asked) == 2 else ()

    figures = measure(engine, "get", 0.001)
    assert figures["cpu_us"] == pytest.approx(1e6 / figures["rate"])
    assert figures["matched"] == 2


@pytest.mark.parametrize("case", CASES)
def test_requests_of_a_kind_differ(case):
    assert (
        len({(request.target, request.fields, request.body) for request in map(CASES[case], range(VARIANTS))})
        == VARIANTS
    )


@pytest.mark.parametrize(("case", "size"), [("get", 0), ("form", 1024), ("json", 10 * 1024)])
def test_bodies_have_the_size_that_the_row_says(case, size):
    assert len(CASES[case](1).body) == pytest.approx(size, rel=0.12)


@pytest.mark.skipif(crs_folder() is None, reason="the OWASP CRS is absent; name its folder with ADC_CRS")
def test_an_engine_finds_the_attack_before_its_figures_count(tmp_path):
    engine = EngineProcess("adc", 1, tmp_path)
    try:
        assert engine.loaded["start_s"] > 0
        assert engine.measure("get", 0.001)["matched"] == 0
    finally:
        engine.stop()


def test_a_process_that_ends_is_reported_with_its_words(monkeypatch, tmp_path):
    monkeypatch.setenv("ADC_CRS", str(tmp_path))
    with pytest.raises(StartError, match="no OWASP CRS"):
        EngineProcess("adc", 1, tmp_path)
