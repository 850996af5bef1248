"""The checks of `make compose-test` on running containers: tools/compose_test.sh names what is tried.

Each check prints one sentence; the exit status is 0 only if all of them pass.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import compose_backup
import compose_basics
import compose_kill
import compose_observability
import compose_postgres
import compose_s3
import compose_scale
import compose_tls
import compose_upgrade
from compose_report import run_parts

RETRAINING = ("Retraining while calls come from outside", compose_basics.retrain_under_load)

TRIED = {
    "default": [*compose_basics.PARTS, *compose_kill.PARTS, *compose_backup.PARTS],
    "postgres": compose_postgres.PARTS,
    "s3": [*compose_s3.PARTS[:1], RETRAINING, *compose_s3.PARTS[1:]],
    "observability": compose_observability.PARTS,
    "observability-scale": compose_observability.WITH_SCALE,
    "tls": compose_tls.PARTS,
    "scale": compose_scale.PARTS,
    "tls-scale": compose_tls.PARTS,
    "together": [*compose_tls.PARTS, *compose_observability.WITH_SCALE],
    "before-upgrade": compose_upgrade.BEFORE,
    "upgrade": compose_upgrade.AFTER,
}

if __name__ == "__main__":
    [name] = sys.argv[1:]
    sys.exit(run_parts(name, TRIED[name]))
