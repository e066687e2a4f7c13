"""A service built again from the archives of several others, long after Kafka has dropped what they published."""

import json
from pathlib import Path

from confluent_kafka import TopicPartition
from confluent_kafka.admin import AdminClient

from services import SERVICES
from shared.contract.catalogue import EVENTS
from shared.runtime.serve import load
from tests.flow.story import publish, story
from tests.support.catching_up import ask, change, run_through
from tests.support.commands import earshot
from tests.support.running import Stage, stage

LATEST = -1


def expire(staged: Stage) -> None:
    """What retention does in the end: Kafka keeps the topics and none of their records."""
    admin = AdminClient({"bootstrap.servers": staged.settings.kafka_bootstrap})
    topics = [f"{staged.settings.topic_prefix}{event.topic}" for event in staged.service.consumes]
    partitions = [TopicPartition(topic, number, LATEST) for topic in topics for number in range(2)]
    for done in admin.delete_records([*partitions]).values():
        done.result(20)


async def exported(staged: Stage, folder: Path) -> dict[str, Path]:
    """A file for each service whose events kpi consumes, in the order of the log."""
    code, said = await earshot(staged, "events", "export", staged.service.name, "--consumed")
    assert code == 0, said
    by_service: dict[str, list[str]] = {}
    for line in said.splitlines():
        if line.startswith("{"):
            publishers = EVENTS[json.loads(line)["type"]].publishers
            [publisher] = [name for name in SERVICES if name in publishers]
            by_service.setdefault(publisher, []).append(line)
    files = {name: folder / f"{name}.jsonl" for name in by_service}
    for name, file in files.items():
        file.write_text("\n".join(by_service[name]) + "\n")
    return files


async def test_archives_of_several_services_take_effect_together(tmp_path: Path) -> None:
    """Each service's archive is a file of its own: given all, whatever their order, everything is what it was."""
    async with stage(load("kpi"), tmp_path) as staged:
        publish(staged.settings, story(11), seed=11)
        await run_through(staged)
        files = await exported(staged, tmp_path)
        assert set(files) == {"scheduling", "insights", "roadmap", "kpi"}
        expire(staged)
        before = await ask(staged, "SELECT count(*) FROM measurements")
        await change(staged, "DELETE FROM evidence; UPDATE measurements SET value = 1")

        some = [f"--archive={file}" for name, file in files.items() if name != "insights"]
        code, said = await earshot(staged, "rebuild", "kpi", *some)
        assert code == 1
        assert "insight-tagged.v1" in said
        assert "the archives hold 0 events" in said

        all_of_them = [f"--archive={files[name]}" for name in ("kpi", "roadmap", "scheduling", "insights")]
        code, said = await earshot(staged, "rebuild", "kpi", *all_of_them)
        assert code == 0, said
        assert "events that took effect again: 0 from Kafka" in said
        assert await ask(staged, "SELECT count(*) FROM measurements") == before
        code, said = await earshot(staged, "rebuild", "kpi", "--check", *reversed(all_of_them))
        assert code == 0, said
        assert "DIFFERS" not in said
