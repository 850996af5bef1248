"""The commands that no page has to mark, because they are never run here, and why."""

import re

from tests.docs.command import Command

__all__ = ["reason"]

OF_PROGRAMS = {
    "aws": "needs an account, or a bucket",
    "docker": "needs Docker, and builds images for minutes",
    "git": "changes a checkout",
    "grpcurl": "is not among the requirements; the methods that it calls are looked up in protos/",
    "helm": "needs a cluster",
    "kind": "needs Docker",
    "kubectl": "needs a cluster",
    "make": "installs packages, or takes minutes; its targets are looked up in the Makefile",
    "npx": "is not among the requirements",
    "pip": "installs packages",
    "pre-commit": "changes a checkout",
    "promtool": "is not among the requirements",
}

OF_COMMANDS = {
    r"-m pytest": "the tests themselves",
    r"-m benchmarks": "measures for minutes, and wants an idle machine",
    r"-m pipelines retrain": "trains; tests/e2e/test_retrain.py does",
    r"-m pipelines schedule": "runs until it is stopped; tests/e2e/test_schedule.py has it run",
    r"-m pipelines sweep": "trains for minutes; tests/e2e/test_sweep.py does",
    r"-m pipelines reproduce": "trains for minutes; tests/pipelines/reproduce do",
    r"-m pipelines study (?!.*--images \d{1,3} )": "trains for minutes",
    r"-m pipelines feedback (accept|reject) [0-9a-f]{8}": "names pictures of the reader's own",
    r"-m service status(?! .*--once)": "runs until it is stopped",
    r"-m pipelines canary --canary-service :9090": "asks a service that is not there; tests/pipelines/canary have one",
    r"-m pipelines health": "says how a schedule does, and there is none; tests/pipelines/cli/test_health.py has one",
    r"-m service serve .*--host 0\.0\.0\.0": "listens beyond this machine; tests/service/server/test_tls.py has it",
    r"-m service (health|pin)(?! .*--address)": "asks the service at the default port, which may be another one here",
    r"-m service pin --policy": "says what the blocks before have left; tests/service/server/test_pinning.py has it",
    r"-m service trial": "takes half a minute, and judges how fast the machine is; tests/service/trial do",
}
"""By what a command says, without its variables and quotes."""


def reason(command: Command) -> str | None:
    """Why a command is not run here; None if it is."""
    for words in command.programs:
        if known := OF_PROGRAMS.get(words[0].rpartition("/")[2]):
            return known
    said = str(command) + " "
    return next((why for pattern, why in OF_COMMANDS.items() if re.search(pattern, said)), None)
