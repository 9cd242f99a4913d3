"""The list of guards that `python tests/guards.py` takes out is about the code as it is."""

import ast

import pytest
from guards import FAULTS, GUARDS, ROOT, Guard, removed


@pytest.mark.parametrize("guard", GUARDS, ids=lambda guard: f"{guard.file}-{guard.test}")
def test_a_guard_is_where_the_list_says(guard: Guard) -> None:
    path = ROOT / guard.file
    without = removed(guard, path.read_text(encoding="utf-8"))
    ast.parse(without)
    file, _, name = guard.test.partition("::")
    tests = (ROOT / "tests" / file).read_text(encoding="utf-8")
    assert f"def {name.partition('[')[0]}(" in tests


@pytest.mark.parametrize("fault", FAULTS)
def test_every_fault_has_a_guard_that_is_taken_out(fault: str) -> None:
    assert FAULTS[fault] in {guard.test.partition("::")[2] for guard in GUARDS}
