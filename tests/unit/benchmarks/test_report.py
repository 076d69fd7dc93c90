import json
from xml.etree import ElementTree

from benchmarks import chart, report
from benchmarks.gates import judge
from benchmarks.measure import Result
from benchmarks.rows import ROWS

GET = {"cpu_us": 20.0, "cpu_us_per_mb": 5.0, "rate": 30000.0, "failed": 0.0}


def result_of_get():
    adc = {**GET, "cpu_us": 30.0}
    return Result(ROWS["get"], {"nginx": [GET], "adc": [adc]}, {"caddy": "not there"})


def test_the_table_ends_with_the_ratio_of_the_primary_figure_to_the_base():
    assert report.table(result_of_get()) == [
        ["", "CPU µs", "per second", "failed", "x nginx"],
        ["nginx", "20.0", "30,000", "0", "1.00"],
        ["adc", "30.0", "30,000", "0", "1.50"],
    ]


def test_the_download_table_is_per_byte():
    download = Result(ROWS["download"], {"nginx": [{"cpu_us": 9e5, "cpu_us_per_mb": 800.0, "rate": 9.0}]})
    assert report.table(download) == [["", "CPU µs/MB", "x nginx"], ["nginx", "800", "1.00"]]


def test_the_ratio_is_blank_when_the_base_was_not_measured():
    assert report.table(Result(ROWS["get"], {"adc": [GET]}))[1][-1] == ""


def test_plain_columns_line_up():
    assert report.plain([["", "CPU"], ["nginx", "20.0"]]) == "        CPU\nnginx  20.0"


def test_markdown_has_a_rule_with_numbers_to_the_right():
    assert report.markdown([["", "CPU"], ["nginx", "20.0"]]) == "|  | CPU |\n| --- | --: |\n| nginx | 20.0 |"


def test_the_text_says_who_was_skipped_and_which_gates_hold():
    result = result_of_get()
    text = report.text([result], judge({"get": result.rounds}))
    assert "caddy skipped: not there" in text
    assert "met: get: CPU per request / nginx: 1.50, at most 2.2" in text
    assert "not measured: get: throughput / Caddy: at least 2.5" in text


def test_the_data_holds_medians_rounds_ratios_and_gates_as_json():
    result = result_of_get()
    data = json.loads(json.dumps(report.data([result], judge({"get": result.rounds}), {"cores": 2})))
    assert data["rows"]["get"]["ratios"] == {"nginx": 1.0, "adc": 1.5}
    assert data["rows"]["get"]["rounds"]["adc"][0]["cpu_us"] == 30.0
    assert data["gates"][0]["met"] is True


def test_the_chart_has_a_bar_in_proportion_for_each_contender():
    drawing = ElementTree.fromstring(chart.svg([result_of_get()]))
    widths = [float(bar.attrib["width"]) for bar in drawing.iter("{http://www.w3.org/2000/svg}rect")]
    assert widths == [round(chart.BAR * 2 / 3, 1), chart.BAR]


def test_large_values_are_written_out_on_the_chart():
    assert ">1,910<" in chart.svg([Result(ROWS["get"], {"nginx": [{"cpu_us": 1910.4}]})])


def test_a_row_without_figures_draws_nothing():
    assert "<rect" not in chart.svg([Result(ROWS["get"])])


def test_a_core_that_idled_is_noted_because_throughput_is_then_not_the_peers_limit():
    idle, busy = {**GET, "p50_ms": 1.0, "busy": 0.5}, {**GET, "p50_ms": 1.0, "busy": 0.97}
    text = report.text([Result(ROWS["get"], {"nginx": [busy], "adc": [idle]})], [])
    assert "note: adc left its core idle for over 20 %" in text
