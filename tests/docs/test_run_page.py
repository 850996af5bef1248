"""tests/docs/run_page.py and what it uses: a page that is wrong is noticed, and the error says where and what."""

import json
import os
import subprocess
import sys

import pytest

from tests.docs.command import commands
from tests.docs.not_run import reason
from tests.docs.output import matches
from tests.docs.pages import ROOT
from tests.docs.spelling import mistakes


@pytest.fixture
def run(tmp_path):
    """A function that runs a page with a text: its exit status, what it says of each block, and the errors."""

    def run_page(text):
        page, folder, report = tmp_path / "page.md", tmp_path / "clone", tmp_path / "report.json"
        page.write_text(text, "utf-8")
        folder.mkdir()
        command = [sys.executable, "-m", "tests.docs.run_page", page, folder, report]
        environment = os.environ | {"PYTHONPATH": str(ROOT)}
        done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, encoding="utf-8", check=False)
        outcomes = json.loads(report.read_text("utf-8")) if report.exists() else []
        return done.returncode, [outcome["done"] for outcome in outcomes], done.stderr

    return run_page


def test_blocks_are_one_program_and_one_terminal_in_the_order_of_the_page(run):
    status, done, _ = run(
        "<!-- invisible-code-block: python\nname = 'seen'\n-->\n"
        "```python\nopen('left', 'w').write(name)\nprint(1 / 3)  # 0.33…\n```\n"
        "```console\n$ export X=here\n```\n"
        '```console\n$ echo "$(cat left) $X"\nseen here\n```\n'
        "```python\nimport asyncio\nawait asyncio.sleep(0)\nprint(name)  # seen\n```\n"
    )
    assert status == 0
    assert [said[-1].rpartition(": ")[2] for said in done] == ["run"] * 4


def test_an_output_that_differs_is_an_error_with_the_line_of_the_block(run):
    status, _, errors = run("\n\n```python\nprint(2 + 2)  # 5\n```\n\n```console\n$ echo four\nfive\n```\n")
    assert status == 1
    assert "page.md:3\n" in errors
    assert "the page shows '5'; printed was '4'" in errors
    assert "page.md:7\n" in errors
    assert "the page shows\nfive\nprinted was\nfour" in errors


def test_a_command_that_fails_is_an_error(run):
    status, _, errors = run("```console\n$ python -m service predict missing.png\n```\n")
    assert status == 1
    assert "ended with status 1" in errors


def test_a_block_that_is_marked_is_not_run_and_its_reason_is_kept(run):
    status, done, _ = run(
        '<!-- skip: next "takes an hour" -->\n```console\n$ false\n```\n'
        '<!-- skip: next if(not installed("no_such_module"), reason="needs it") -->\n```python\n1 / 0\n```\n'
        '<!-- skip: next if(not installed("json"), reason="needs it") -->\n```python\nseen = 1\n```\n'
    )
    assert (status, done) == (0, [["not run: takes an hour"], ["not run: needs it"], ["run"]])


def test_a_mark_that_is_shown_in_a_block_marks_nothing(run):
    mark = '<!-- skip: next "shown" -->\n'
    status, done, _ = run(f"```text\n{mark}<!-- invisible-code-block: python\n1 / 0\n-->\n```\n```python\n1\n```\n")
    assert (status, done) == (0, [["text"], ["run"]])


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("<!-- skip: next -->\n```python\n1\n```\n", "`skip: next` without a reason"),
        ("```fortran\nEND\n```\n", "'fortran' is no language that is known here; see CONTRIBUTING.md"),
        ("```text\n$ make run\n```\n", "a command in a block of text: $ make run; write ```console"),
        ("```console\nmake run\n```\n", "a block of console begins with a command, which begins with `$ `"),
        ("```json\n{'a': 1}\n```\n", "JSONDecodeError"),
        ("```yaml\na: [\n```\n", "ParserError"),
        ("```toml\na = \n```\n", "TOMLDecodeError"),
        ("```proto\nmessage A { int33 b = 1; }\n```\n", '"int33" is not defined'),
    ],
    ids=lambda text: text.split("\n")[0] if "\n" in text else "",
)
def test_a_block_that_cannot_be_used_is_an_error(run, text, error):
    status, _, errors = run(text)
    assert status == 1
    assert error in errors


def test_data_may_leave_out_elements_and_show_members_alone(run):
    status, done, _ = run('```json\n"a": [1, …]\n```\n```proto\nmessage A { int32 b = 1; }\n```\n')
    assert (status, done) == (0, [["parsed"], ["parsed"]])


@pytest.mark.parametrize(
    ("line", "mistake"),
    [
        ("python -m pipelines retrain --promotion never", "No such option: --promotion"),
        ("python -m pipelines models raise 3", "no command 'raise'; there are compare,"),
        ("python -m pipelines models promote seven", "unable to parse string as an integer"),
        ("numeral-service serve --canary-share 3", "No such option: --canary-share"),
        ("docker compose exec scheduler python -m pipelines healthy", "no command 'healthy'"),
        ("python -m exercises hints 2", "invalid choice: 'hints'"),
        ("make cake", "no target cake in the Makefile"),
        ("python tools/no_such.py", "there is no file tools/no_such.py"),
        ("python -m core.plainer", "there is no module core.plainer"),
        ("grpcurl localhost:8500 numeral.v1.Recognizer/Guess", "Couldn't find method"),
        ('grpcurl -d \'{"id": "3"}\' localhost:8500 numeral.v1.Recognizer/PinVersion', 'no field named "id"'),
    ],
)
def test_a_command_that_does_not_exist_is_a_mistake_though_it_is_never_run(line, mistake):
    (command,) = commands(f"$ {line}\n")
    (found,) = mistakes(command)
    assert mistake in found


@pytest.mark.parametrize("line", ["python -m service serve --help", "make run PORT=8501", "X=1 numeral-service pin 3"])
def test_a_command_that_exists_is_no_mistake(line):
    (command,) = commands(f"$ {line}   # with a comment\n")
    assert mistakes(command) == []


def test_a_command_takes_as_many_lines_as_it_is_long_and_the_rest_is_its_output():
    source = "$ echo one \\\n    two\none two\n$ F='a\nb' tool \"$(inner x)\" | other > file\n\nshown\n"
    first, second = commands(source)
    assert (first.programs, first.output) == ([["echo", "one", "two"]], "one two")
    assert [words[0] for words in second.programs] == ["tool", "other", "inner"]
    assert second.output == "shown"


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("docker compose up", "needs Docker"),
        ("echo {} | kubectl apply -f -", "needs a cluster"),
        ("for x in a b; do sudo docker build $x && docker push $x; done", "needs Docker"),
        ("python -m pipelines study depth", "trains for minutes"),
        ("python -m pipelines study depth --images 500", None),
        ("python -m service status --address localhost:8500 --once", None),
    ],
)
def test_what_is_never_run_here_has_a_reason(line, why):
    (command,) = commands(f"$ {line}\n")
    found = reason(command)
    assert found is None if why is None else why in found


def test_an_ellipsis_stands_for_anything_and_nothing_else_does():
    assert matches("a … (…)\n…", "a 7 (99%)\nand\nmore")
    assert not matches("a.c", "abc")
    assert not matches("a", "a b")
