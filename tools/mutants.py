"""Take each guard out of a copy of the code, and see that its test fails: `python tests/guards.py [WORD]`.

A guard that nothing misses is no guard. With a word, only those whose test or file holds it.
"""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[1]


class Guard(NamedTuple):
    """A piece of code that holds a promise, what is left when it is taken out, and the test that misses it."""

    file: str
    code: str
    without: str
    test: str


_R = "terraform/sources/remote"
_E = "terraform/sources/remote/earthengine"

GUARDS = [
    # A service that fails, is slow, or asks for patience
    Guard(f"{_R}/client.py", "_COME_AGAIN = {408, 425, 429, 500, 502, 503, 504}", "_COME_AGAIN: set[int] = set()",
          "test_remote.py::test_a_busy_service_is_asked_again"),
    Guard(f"{_R}/client.py", "except (Unfit, Later, HTTPError) as error:", "except (Unfit, Later) as error:",
          "test_remote.py::test_what_fails_once_is_asked_for_again[drop]"),
    Guard(f"{_R}/client.py", "preload_content=False,", "preload_content=False, enforce_content_length=False,",
          "test_remote.py::test_what_fails_once_is_asked_for_again[truncate]"),
    Guard(f"{_R}/client.py", "read=min(settings.read_timeout_s, left)", "read=None",
          "test_remote.py::test_a_server_that_never_answers_ends_at_the_deadline"),
    Guard(f"{_R}/client.py", "            if errand.deadline.left_s <= 0:", "            if False:",
          "test_remote.py::test_a_trickle_ends_at_the_deadline"),
    Guard(f"{_R}/client.py", "asked = (error.after_s or 0.0) if isinstance(error, Later) else 0.0", "asked = 0.0",
          "test_remote.py::test_retry_after_in_seconds_is_honoured"),
    Guard(f"{_R}/client.py", "if asked > settings.longest_wait_s:", "if False:",
          "test_remote.py::test_a_retry_after_beyond_the_limit_ends_at_once"),
    Guard(f"{_R}/patience.py", "except (InvalidHeader, ValueError, OverflowError):", "except ZeroDivisionError:",
          "test_remote.py::test_what_a_server_asks_for"),
    Guard(f"{_R}/connections.py", "maxsize=connections, block=True", "maxsize=connections, block=False",
          "test_remote.py::test_no_more_connections_than_allowed_and_these_are_used_again"),
    # Where it may go
    Guard(f"{_R}/client.py", "        self.access.check(url)\n", "",
          "test_remote.py::test_a_redirect_to_another_port_of_the_mirror_is_refused"),
    Guard(f"{_R}/client.py", "        self.access.check(url)\n", "",
          "test_remote.py::test_a_redirect_elsewhere_is_refused"),
    Guard(f"{_R}/connections.py", "        if private:\n", "        if False:\n",
          "test_remote.py::test_a_listed_name_that_leads_into_a_private_network_is_refused"),
    Guard(f"{_R}/connections.py", "        if public:\n", "        if False:\n",
          "test_remote.py::test_a_mirror_without_encryption_lies_in_a_private_network"),
    Guard(f"{_R}/access.py", "if k.lower() in _HARMLESS", "if True",
          "test_remote.py::test_addresses_are_shown_without_secrets"),
    Guard(f"{_R}/access.py", "if k.lower() in _HARMLESS", "if True",
          "test_secrets.py::test_no_secret_is_in_anything_that_a_run_writes"),
    # What it may send
    Guard(f"{_R}/answer.py", "        if size > most:\n", "        if False:\n",
          "test_remote.py::test_a_response_is_never_larger_than_expected"),
    Guard(f"{_R}/content.py", "if said and said not in kind.media_types:", "if False:",
          "test_remote.py::test_a_page_with_status_200_is_an_error_in_the_servers_words"),
    Guard(f"{_R}/content.py", "not start.startswith(kind.magic)", "False",
          "test_remote.py::test_content_that_is_not_what_its_type_says_is_an_error"),
    Guard(f"{_R}/ranges.py", "if answer.status != 206:", "if False:",
          "test_remote.py::test_a_server_without_ranges_does_not_send_the_whole_file"),
    Guard(f"{_R}/ranges.py", "if first != start or last - first + 1 != expected:", "if False:",
          "test_remote.py::test_a_wrong_content_range_is_refused"),
    Guard(f"{_R}/ranges.py", "if declared != str(expected):", "if False:",
          "test_remote.py::test_a_part_is_believed_only_when_exact[longer]"),
    Guard(f"{_R}/ranges.py", "if not same(of, identity):", "if False:",
          "test_remote.py::test_parts_of_two_versions_are_not_mixed"),
    Guard(f"{_R}/ranges.py", "while left and left[0][1][1] <= at + len(body):",
          "while left and left[-1][1][1] <= at + len(body):",
          "test_remote.py::test_a_line_that_breaks_costs_the_piece_in_flight_and_no_more[drop]"),
    Guard(f"{_R}/ranges.py", "while left and left[0][1][1] <= at + len(body):",
          "while left and left[-1][1][1] <= at + len(body):",
          "test_remote_processes.py::test_a_killed_process_loses_what_was_on_its_way_and_no_more"),
    Guard(f"{_R}/file.py", "content = self.bucket.shelf.read(self.name, name)", "content = None",
          "test_remote_mars.py::test_a_store_that_is_busy_is_resumed_with_the_rows_that_came"),
    Guard(f"{_R}/blocks.py", "        except zlib.error as error:\n", "        except ZeroDivisionError as error:\n",
          "test_remote_tiff.py::test_any_damage_to_a_deflate_block_is_found"),
    Guard(f"{_R}/blocks.py", "    elif of.compression in _DEFLATE:\n", "    elif False:\n",
          "test_remote_elevation.py::test_a_fault_in_between_is_survived[corrupt]"),
    Guard(f"{_R}/blocks.py", "whole + 1))", "1 << 30))",
          "test_remote_tiff.py::test_a_block_that_unpacks_to_more_than_it_should_is_not_unpacked_on"),
    Guard(f"{_R}/tiff.py", "made.width * made.height > _MOST_PIXELS or made.block_bytes > _LARGEST_BLOCK", "False",
          "test_remote_tiff.py::test_forged_headers_are_refused"),
    Guard(f"{_R}/elevation.py", "    if max(abs(a - b)", "    if False and max(abs(a - b)",
          "test_remote_elevation.py::test_a_tile_under_a_wrong_name_is_refused"),
    Guard("terraform/sources/catalog/terrarium.py", "if image.size != (_SIDE, _SIDE):", "if False:",
          "test_terrarium.py::test_pictures_of_another_size_are_not_unpacked"),
    Guard("terraform/sources/catalog/terrarium.py", '_FORMATS = ["PNG"]', "_FORMATS = None",
          "test_terrarium.py::test_only_png_is_opened"),
    Guard("terraform/sources/catalog/terrarium.py", "            image.verify()\n", "",
          "test_terrarium.py::test_any_damage_to_a_tile_is_found"),
    Guard("terraform/sources/catalog/mola.py", "if identity.size != _TILE_BYTES:", "if False:",
          "test_remote_mars.py::test_a_tile_of_another_size_is_refused"),
    Guard(f"{_R}/planet.py", "if max(abs(o) for o in off) > spare:", "if False:",
          "test_remote_mars.py::test_a_map_of_something_else_is_refused"),
    Guard(f"{_R}/tiff.py", "if abs(radius_m / body.radius_m - 1) > 0.01:", "if False:",
          "test_remote_mars.py::test_a_map_of_something_else_is_refused"),
    # What is kept of it
    Guard(f"{_R}/whole.py", '"If-Range": begun.etag', '"X-If-Range": begun.etag',
          "test_remote.py::test_a_dropped_line_costs_nothing_that_was_received"),
    Guard(f"{_R}/whole.py", "            if not start:\n", "            if False:\n",
          "test_remote.py::test_a_server_that_ignores_the_range_is_restarted_never_appended"),
    Guard(f"{_R}/whole.py", "if first != self.size or last + 1 != size or begun is None or not same(begun, identity):",
          "if False:", "test_remote.py::test_a_206_that_starts_elsewhere_is_not_appended"),
    Guard(f"{_R}/whole.py", "require_space(self.file.parent, identity.size - start)", "pass",
          "test_remote.py::test_a_full_disk_is_told_before_it_happens"),
    Guard(f"{_R}/whole.py", "adopt(partial.file, path, verify)", "adopt(partial.file, path)",
          "test_remote.py::test_a_file_that_is_not_right_is_not_kept"),
    Guard(f"{_R}/cache.py", "if hashlib.sha256(stored[_SEAL_BYTES:]).digest() != stored[:_SEAL_BYTES]:", "if False:",
          "test_remote.py::test_damage_on_the_disk_is_found_and_fetched_again"),
    Guard(f"{_R}/cache.py", "if not _NAME.fullmatch(name):", "if False:",
          "test_remote.py::test_names_stay_in_the_folder"),
    Guard(f"{_R}/cache.py", "fcntl.LOCK_EX | fcntl.LOCK_NB", "fcntl.LOCK_SH",
          "test_remote.py::test_one_process_at_a_time_asks_a_source"),
    Guard(f"{_R}/locks.py", "            if known[key] != seen[key]:\n", "            if False:\n",
          "test_remote_mars.py::test_another_file_than_the_locked_one_is_refused"),
    Guard(f"{_R}/elevation.py", "tile.cog.file.hold()", "tile.cog.layout",
          "test_remote_elevation.py::test_another_tile_than_the_locked_one_is_refused_until_it_is_accepted"),
    # Where pixels lie, and what they are
    Guard("terraform/sources/raster/resample.py", "return [360.0 * turn for turn in range(first, last + 1)]", "return [0.0]",
          "test_remote_mars.py::test_tiles_that_count_to_360_meet_on_both_sides_of_the_antimeridian"),
    Guard("terraform/sources/raster/classify.py", "valid = ~(missing | unsaid)", "valid = np.ones(values.shape, np.bool_)",
          "test_remote_elevation.py::test_a_void_stays_a_void_and_spoils_no_neighbour"),
    Guard("terraform/sources/catalog/opentopography.py", "            if listed is None or _named(cell) in listed\n", "",
          "test_remote_elevation.py::test_tiles_of_the_sea_are_not_asked_for"),
    Guard("terraform/sources/catalog/copernicus.py", " if listed is None or name in listed]", "]",
          "test_remote_elevation.py::test_copernicus_narrows_northwards_and_fills_from_glo_90"),
    Guard("terraform/geo/resample.py", "_ROUNDING_PX = 1e-6", "_ROUNDING_PX = 0.0",
          "test_remote_mars.py::test_the_poles_are_reached"),
    Guard(f"{_R}/tiff.py", "half = 0.5 if self._geo_keys().get(1025) == 2 else 0.0", "half = 0.0",
          "test_remote_tiff.py::test_pixels_that_are_points_lie_half_a_pixel_off"),
    Guard(f"{_R}/rows.py", ".astype(self.dtype)\n", "\n",
          "test_remote_mars.py::test_zero_degrees_is_an_edge_too"),
    Guard(f"{_R}/degree_cells.py", "(column + 180) % 360 - 180", "column",
          "test_remote_elevation.py::test_the_antimeridian_is_crossed"),
    Guard(f"{_R}/elevation.py", "Known(known.values, known.valid & ~sea, sea)", "known",
          "test_remote_elevation.py::test_the_sea_within_a_tile_is_exactly_zero"),
    Guard("terraform/sources/catalog/terrarium.py", "_PACIFIC if crossing else", '"EPSG:3857" if crossing else',
          "test_terrarium.py::test_the_antimeridian_is_crossed"),
    Guard("terraform/sources/catalog/s2mosaic120.py", "values[(numbers == 0).any(axis=-1)] = 0", "pass",
          "test_mosaic120.py::test_a_missing_number_is_void_in_all_bands"),
    # Earth Engine
    Guard(f"{_E}/assets.py", ".reduceResolution(ee.Reducer.mean(), False, _MOST_NATIVE_PX)", "",
          "test_earthengine.py::test_every_pixel_is_the_mean_of_the_models_own"),
    Guard(f"{_E}/assets.py", "void = seen * 2 < _FULL", "void = seen < 0",
          "test_earthengine.py::test_sea_void_and_shore_are_told_apart"),
    Guard(f"{_E}/assets.py", ".unmask(0, False)).Or(ocean)", ".unmask(0, False))",
          "test_earthengine.py::test_sea_void_and_shore_are_told_apart"),
    Guard(f"{_E}/session.py", "if made.shape != window.shape or made.dtype != DTYPE:", "if False:",
          "test_earthengine.py::test_pixels_of_another_size_or_kind_are_refused"),
    Guard(f"{_E}/session.py", "return TooMuch(said)", "return RemoteError(said)",
          "test_earthengine.py::test_what_is_too_much_at_once_is_asked_in_parts"),
    Guard(f"{_E}/session.py", "except ConnectionError:", "except ZeroDivisionError:",
          "test_earthengine.py::test_what_fails_once_is_asked_again[computePixels-drop-0]"),
    Guard(f"{_E}/session.py", "(ClientError, ValueError, KeyError)", "(ClientError, KeyError)",
          "test_earthengine.py::test_a_broken_service_ends_in_plain_words[body]"),
    Guard(f"{_E}/session.py", "if status in _LATER:", "if status in _LATER - {429}:",
          "test_earthengine.py::test_a_quota_ends_in_resume_later_and_nothing_is_lost"),
    Guard(f"{_E}/session.py", "asked = error.after_s or 0.0", "asked = 0.0",
          "test_earthengine.py::test_retry_after_is_honoured"),
    Guard(f"{_E}/account.py", ' or oauth.CLIENT_ID.startswith(f"{project}-")', "",
          "test_earthengine_accounts.py::test_a_person_without_a_project"),
    Guard(f"{_E}/account.py", "except (OSError, ValueError, AttributeError) as error:", "except OSError as error:",
          "test_earthengine_accounts.py::test_stored_credentials_that_are_broken"),
    Guard("terraform/sources/catalog/earthengine.py", "shelf.write(_packed(_pixels(session, image, window)), *_names(window))",
          "_packed(_pixels(session, image, window))",
          "test_remote_processes.py::test_a_killed_process_asks_earth_engine_for_what_was_on_its_way_and_no_more"),
    Guard(f"{_E}/session.py", 'str(error).replace(who.project, "PROJECT")', "str(error)",
          "test_earthengine_accounts.py::test_with_a_foreign_project"),
    Guard(f"{_E}/transport.py", "read=settings.read_timeout_s", "read=None",
          "test_earthengine.py::test_silence_ends"),
    Guard(f"{_E}/transport.py", "if response.status == 200 and kind in _PAGES:", "if False:",
          "test_earthengine.py::test_what_fails_once_is_asked_again[algorithms-html-0]"),
    Guard(f"{_E}/transport.py", "        self._access.check(uri)\n", "",
          "test_earthengine_accounts.py::test_a_key_that_sends_elsewhere_is_not_followed"),
    Guard("terraform/sources/catalog/earthengine.py", "    _plausible(made, window)\n", "",
          "test_earthengine.py::test_heights_that_are_not_of_earth_are_refused"),
    Guard("terraform/config/services.py", "Field(8, ge=1, le=40)", "Field(64, ge=1, le=99)",
          "test_earthengine.py::test_the_project_allows_forty_at_once_and_we_ask_eight"),
    Guard("terraform/sources/catalog/earthengine.py", "if south < asset.south or north > asset.north:", "if False:",
          "test_earthengine.py::test_regions_beyond_the_data_and_other_planets_are_refused"),
    Guard("terraform/sources/remote_raster/request_grid.py", "seams = [ceil(", "seams = [] and [ceil(",
          "test_earthengine.py::test_what_is_asked_is_an_average_within_the_limits"),
    # Sentinel-2 cloudless
    Guard("terraform/sources/catalog/s2cloudless.py", "(south, west, north, east)", "(west, south, east, north)",
          "test_s2cloudless.py::test_every_pixel_has_the_colour_of_its_place"),
    Guard("terraform/sources/catalog/s2cloudless.py", "lambda got: decoded(got, window.shape)", "None",
          "test_s2cloudless.py::test_a_service_that_has_nothing_here_is_not_believed"),
    Guard("terraform/sources/catalog/s2cloudless.py", '"CC-BY-4.0" if year == 2016 else _LEFT', '"CC-BY-4.0"',
          "test_s2cloudless.py::test_each_year_is_its_own_layer_and_licence"),
    Guard("terraform/sources/catalog/picture.py", "if blank.mean() > _MOST_BLANK:", "if False:",
          "test_s2cloudless.py::test_pictures_that_are_none_are_refused[half black]"),
    Guard("terraform/sources/catalog/picture.py", "if picture.size != (shape[1], shape[0]):", "if False:",
          "test_s2cloudless.py::test_pictures_that_are_none_are_refused"),
    Guard("terraform/sources/catalog/picture.py", "    rgb[void] = 0\n", "",
          "test_s2cloudless.py::test_a_sound_picture_is_taken_with_its_small_gaps_as_void"),
    Guard("terraform/sources/catalog/wms.py", 'b"<!ENTITY" in', 'b"nothing" in',
          "test_s2cloudless.py::test_capabilities_cannot_read_files"),
    Guard("terraform/sources/catalog/wms.py", "if layer not in layers:", "if False:",
          "test_s2cloudless.py::test_a_year_that_is_not_offered_is_told_with_those_that_are"),
    # Memory
    Guard("terraform/learn/runtime/malloc.py", "(_MMAP_MAX, 0), ", "",
          "test_allocator.py::test_freed_blocks_are_taken_again"),
    Guard("terraform/learn/runtime/malloc.py", " and resident() > above", "",
          "test_allocator.py::test_holes_are_given_back_where_much_is_taken"),
    Guard("terraform/learn/runtime/memory.py", "_SHARE = 0.7", "_SHARE = 2.0",
          "test_train_faults.py::test_full_memory_says_what_would_fit"),
    Guard("terraform/pairs/store.py", " < array.nbytes:", " < 0:",
          "test_cut.py::test_pairs_are_read_on_from_the_file_that_was_opened"),
]  # fmt: skip


FAULTS = {
    "status": "test_a_busy_service_is_asked_again",
    "drop": "test_what_fails_once_is_asked_for_again[drop]",
    "truncate": "test_what_fails_once_is_asked_for_again[truncate]",
    "slow": "test_a_trickle_ends_at_the_deadline",
    "stall": "test_a_server_that_never_answers_ends_at_the_deadline",
    "no-range": "test_a_server_without_ranges_does_not_send_the_whole_file",
    "html": "test_a_page_with_status_200_is_an_error_in_the_servers_words",
    "corrupt": "test_a_fault_in_between_is_survived[corrupt]",
    "blank": "test_a_service_that_has_nothing_here_is_not_believed",
    "half a picture": "test_pictures_that_are_none_are_refused[half black]",
    "another content type": "test_a_page_with_status_200_is_an_error_in_the_servers_words",
    "redirect": "test_a_redirect_elsewhere_is_refused",
    "private address": "test_a_listed_name_that_leads_into_a_private_network_is_refused",
    "secrets": "test_no_secret_is_in_anything_that_a_run_writes",
    "too large": "test_a_response_is_never_larger_than_expected",
    "axis order": "test_every_pixel_has_the_colour_of_its_place",
    "antimeridian": "test_the_antimeridian_is_crossed",
    "0 to 360": "test_tiles_that_count_to_360_meet_on_both_sides_of_the_antimeridian",
    "missing tile": "test_tiles_of_the_sea_are_not_asked_for",
    "void": "test_a_void_stays_a_void_and_spoils_no_neighbour",
    "kill": "test_a_killed_process_loses_what_was_on_its_way_and_no_more",
    "changed file": "test_another_file_than_the_locked_one_is_refused",
}
"""What goes wrong between a service and us, and the test that shows its guard missing."""


def main(word: str = "") -> int:
    """Run each; the number of guards that nothing missed is the exit code."""
    chosen = [guard for guard in GUARDS if word in f"{guard.file} {guard.test}"]
    idle = [guard for guard in chosen if not _missed(guard)]
    print(f"{len(chosen) - len(idle)} of {len(chosen)} guards are missed by their tests when they are taken out")
    return len(idle)


def _missed(guard: Guard) -> bool:
    with tempfile.TemporaryDirectory() as folder:
        here = Path(folder)
        for name in ("terraform", "tests", "workflow", "benchmarks"):
            shutil.copytree(ROOT / name, here / name, ignore=shutil.ignore_patterns("__pycache__"))
        for name in ("pyproject.toml", "config.yaml", "regions.geojson", "Snakefile"):
            shutil.copy(ROOT / name, here / name)
        path = here / guard.file
        path.write_text(removed(guard, path.read_text(encoding="utf-8")), encoding="utf-8")
        pytest = [sys.executable, "-m", "pytest", "-q", "-x", "-o", "addopts=", "--timeout", "120"]
        done = subprocess.run([*pytest, f"tests/{guard.test}"], cwd=here, capture_output=True, text=True, check=False)
    print(f"{'missed' if done.returncode == 1 else 'NOT MISSED'}: {guard.file}: {guard.code.strip()}", flush=True)
    return done.returncode == 1


def removed(guard: Guard, text: str) -> str:
    """The code without a guard.

    Raises
    ------
    ValueError
        The guard is not there, or several times.
    """
    if text.count(guard.code) != 1:
        raise ValueError(f"{guard.file} holds {text.count(guard.code)} times: {guard.code}")
    return text.replace(guard.code, guard.without)


if __name__ == "__main__":
    raise SystemExit(main(*sys.argv[1:2]))
