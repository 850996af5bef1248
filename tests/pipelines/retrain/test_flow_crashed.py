"""What Prefect's own process records of a run that could not do so itself."""

from pathlib import Path
from uuid import uuid4

from prefect.client.schemas.objects import FlowRun
from prefect.states import Crashed

from pipelines.order import Order
from pipelines.retrain.flow import _report_failure, retrain
from pipelines.schedule.journal import Journal


def test_a_crash_is_recorded_also_if_a_folder_of_the_run_is_missing_by_then(tmp_path: Path) -> None:
    (handwriting := tmp_path / "handwriting").mkdir()
    order = Order(data_dir=tmp_path / "cache", repository=str(tmp_path / "models"), handwriting=handwriting)
    run = FlowRun(flow_id=uuid4(), deployment_id=uuid4(), parameters=order.parameters)
    journal = Journal(order.data_dir)
    journal.started(str(run.id))
    handwriting.rmdir()
    _report_failure(retrain, run, Crashed(message="it was killed"))
    record = journal.read()
    assert record is not None
    assert record.active == {}
    assert record.last_failure is not None
    assert record.last_failure.error == "it was killed"
