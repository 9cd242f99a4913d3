"""The report: its numbers are the files', nothing in a name is markup, it is one page that asks for nothing."""

import csv
import json
import re
import shutil
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest
from safetensors import safe_open

from terraform.errors import InputError
from terraform.report import page as pages
from terraform.report.page import MOST_BYTES, write_report

SECTIONS = ("learnt", "training", "metrics", "boards", "planets", "mosaics", "time", "again", "sources")


class Parts(HTMLParser):
    """The numbers of a page by its sections, what surrounds them, and its text."""

    def __init__(self):
        super().__init__()
        self.numbers, self.tags, self.text, self._section = {}, [], {}, ""

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag == "section":
            self._section = dict(attrs)["id"]
        if tag == "data":
            self.numbers.setdefault(self._section, []).append(float(dict(attrs)["value"]))

    def handle_data(self, data):
        self.text[self._section] = self.text.get(self._section, "") + data


def parsed(path):
    parts = Parts()
    parts.feed(path.read_text(encoding="utf-8"))
    return parts


def every_score(document):
    parts = [*document["roles"].values(), document["mars"]]
    return [
        end for part in parts for own in part["scores"].values() for score in own.values() for end in score.values()
    ]


def test_every_number_of_the_metrics_is_the_files(report, folder):
    document = json.loads((folder / "results/evaluation/tiny/metrics.json").read_text())
    shown = parsed(report).numbers["metrics"]
    known = every_score(document)
    assert set(known) <= set(shown)
    others = {1, 2, 9, 31.25, 6.25, *(about["target"] for about in document["metrics"].values())}
    assert set(shown) - set(known) <= others


def test_numbers_for_people_are_those_beside_them(report):
    pairs = re.findall(r'<data value="([^"]+)">([^<]+)</data>', report.read_text())
    assert len(pairs) > 100
    for value, said in pairs:
        assert float(said.replace(",", "")) == pytest.approx(float(value), rel=0.006, abs=1e-12)


def test_training_pairs_and_time_are_the_files(report, folder):
    numbers = parsed(report).numbers
    rows = list(csv.DictReader((folder / "results/model/tiny/history.csv").open()))
    with safe_open(folder / "results/model/tiny/weights.safetensors", "np") as file:
        values = sum(file.get_tensor(name).size for name in file.keys())  # noqa: SIM118
    assert {values, 16.0, 4.0} <= set(numbers["training"])
    assert {float(rows[-1]["seconds"]), 15.75, 15.0, 123.45, 2} <= set(numbers["time"])
    tiles = {name: np.load(folder / "results/pairs" / name / "tiles.npy") for name in ("one", "two")}
    assert numbers[""][0] == sum(map(len, tiles.values()))
    assert {654, 321, 654 * 321, 200.00085, 463.1} <= set(numbers["mosaics"])
    assert {6.5, 7.25, 1234, 56} <= set(numbers["planets"])


def test_nothing_of_a_name_is_markup_and_no_request_leaves_the_page(report, browser):
    browser.complaints()
    browser.requests()
    browser.open(report.as_uri(), 1200, 800)
    assert browser.run("return [window.hacked ?? null, document.scripts.length, document.title]") == [
        None, 0, "Run tiny · terraform",
    ]  # fmt: skip
    assert browser.run("return [...document.images].filter((one) => !one.src.startsWith('data:')).length") == 0
    assert browser.run("return document.body.textContent").count("{{ 7*7 }}") >= 5
    asked = [address for address in browser.requests() if not address.startswith(("data:", "about:", "chrome:"))]
    assert asked == [report.as_uri()]
    assert browser.complaints() == []


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (1280, "dark"), (390, "light")])
def test_it_is_readable_wide_and_on_a_phone(report, browser, width, scheme):
    feature = {"name": "prefers-color-scheme", "value": scheme}
    browser.ask("POST", "goog/cdp/execute", {"cmd": "Emulation.setEmulatedMedia", "params": {"features": [feature]}})
    browser.open(report.as_uri(), width, 800)
    assert browser.run("return document.documentElement.scrollWidth") == width
    ink, paper = browser.run(
        "const style = getComputedStyle(document.body); return [style.color, style.backgroundColor]"
    )
    brightness = [sum(map(int, re.findall(r"\d+", colour)[:3])) for colour in (ink, paper)]
    assert (brightness[0] > brightness[1] + 400) if scheme == "dark" else (brightness[1] > brightness[0] + 400)
    lines = browser.run("return [...document.querySelectorAll('.chart .line')].map((one) => one.getBBox().width)")
    assert len(lines) >= 6 and min(lines) > 100
    assert browser.run("return [...document.querySelectorAll('section')].map((one) => one.id)") == list(SECTIONS)


def test_a_picture_is_enlarged(report, browser):
    browser.open(report.as_uri(), 1000, 700)
    before = browser.run("return document.querySelector('.zoom img').getBoundingClientRect().width")
    browser.run("document.querySelector('.zoom input').click()")
    assert browser.run("return document.querySelector('.zoom img').getBoundingClientRect().width") > before


def test_the_policy_forbids_scripts_and_the_page_is_small(report):
    text = report.read_text()
    policy = next(attrs["content"] for tag, attrs in parsed(report).tags if attrs.get("http-equiv"))
    assert policy.startswith("default-src 'none'; img-src data:; style-src 'sha256-") and "unsafe" not in policy
    assert len(text.encode()) < MOST_BYTES
    assert re.findall(r"<script|<link rel=\"stylesheet|\son\w+=\"|\sstyle=", text) == []


def test_no_path_of_this_machine_is_on_the_page(report, folder):
    text = report.read_text()
    assert str(folder) not in text
    assert "rasters: ./rasters" in text and "--configfile ./" in text


def test_sources_are_named_with_their_licences(report):
    said = parsed(report).text["sources"]
    assert "CC-BY-4.0" in said and "CC0-1.0" in said and "heights of" in said and "(synthetic)" in said
    assert "Synthetic world." in report.read_text()


@pytest.mark.parametrize(
    ("gone", "section", "said"),
    [
        ("results/mars", "mosaics", "Not drawn: dune"),
        ("results/evaluation", "metrics", "not evaluated yet"),
        ("results/planet", "planets", "No climates and base colours"),
        ("results/model", "training", "No generator was trained yet"),
        ("results/pairs/two", "learnt", "No pairs yet of two"),
    ],
)
def test_what_was_not_made_is_told(run_files, tmp_path, gone, section, said):
    copy = shutil.copytree(run_files.folder, tmp_path / "run")
    shutil.rmtree(copy / gone)
    write_report(replace(run_files, folder=copy), tmp_path / "report.html")
    assert said in parsed(tmp_path / "report.html").text[section]


def test_metrics_of_an_older_format_are_told(run_files, tmp_path):
    copy = shutil.copytree(run_files.folder, tmp_path / "run")
    (copy / "results/evaluation/tiny/metrics.json").write_text('{"run": "tiny"}')
    write_report(replace(run_files, folder=copy), tmp_path / "report.html")
    assert "is of format 1, this version reads 2" in parsed(tmp_path / "report.html").text["metrics"]


def test_of_nothing_there_is_a_page_that_says_so(run_files, tmp_path):
    write_report(replace(run_files, folder=tmp_path, mosaics=()), tmp_path / "report.html")
    text = parsed(tmp_path / "report.html").text
    assert "No region has the role mosaic" in text["mosaics"] and "Nothing was timed" in text["time"]


@pytest.mark.parametrize(
    ("place", "text"),
    [
        ("results/model/tiny/history.csv", "images,seconds\n1,abc\n"),
        ("results/model/tiny/history.csv", "images,seconds\n1\n"),
        ("results/mars/tiny/dune/item.json", "[]"),
        ("results/mars/tiny/dune/preview.jpg", "no picture"),
        ("results/planet/tiny/skill.json", '{"cells": 3}'),
        ("results/model/tiny/weights.safetensors", "nothing"),
        ("results/evaluation/tiny/boards/validation.png", "no picture"),
        ("logs/cut_pairs/one.tsv", "s\tcpu_time\nx\ty\n"),
    ],
)
def test_a_damaged_file_is_named(run_files, tmp_path, place, text):
    copy = shutil.copytree(run_files.folder, tmp_path / "run")
    (copy / place).write_text(text)
    with pytest.raises(InputError, match=place.rpartition("/")[2]):
        write_report(replace(run_files, folder=copy), tmp_path / "report.html")
    assert not (tmp_path / "report.html").exists()


def test_a_page_that_would_be_large_has_smaller_pictures(run_files, report, tmp_path, monkeypatch):
    monkeypatch.setattr(pages, "MOST_BYTES", len(report.read_bytes()) - 1)
    write_report(run_files, tmp_path / "report.html")
    assert len((tmp_path / "report.html").read_bytes()) < len(report.read_bytes())
