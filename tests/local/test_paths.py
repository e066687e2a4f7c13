from pathlib import Path

import pytest

from deploy.local.errors import Fault
from deploy.local.paths import Home, cache_from, home_from, ports_from


def test_a_foreign_folder_is_not_taken_over(tmp_path: Path) -> None:
    """A folder that holds something else is refused as state folder, and nothing in it changes."""
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(Fault, match="not empty and not Earshot's; set EARSHOT_HOME"):
        Home(tmp_path).create()
    assert [entry.name for entry in tmp_path.iterdir()] == ["thesis.txt"]


def test_erase_refuses_a_foreign_folder(tmp_path: Path) -> None:
    """Erasing needs our marker file: a folder that merely has the same rooms is left alone."""
    (tmp_path / "postgres").mkdir()
    with pytest.raises(Fault, match="nothing was erased"):
        Home(tmp_path).erase()
    assert (tmp_path / "postgres").is_dir()


def test_erase_removes_ours_and_leaves_what_others_put_there(home: Home) -> None:
    """Erasing removes every room and the marker, but not a file that somebody else put into the folder."""
    (home.root / "notes.txt").write_text("mine")
    (home.log / "kpi.log").write_text("ours")
    home.erase()
    assert [entry.name for entry in home.root.iterdir()] == ["notes.txt"]


def test_erase_removes_the_folder_itself(home: Home) -> None:
    """Erasing leaves no trace of a state folder that was ours alone."""
    home.erase()
    assert not home.root.exists()


def test_secrets_are_in_a_private_folder(home: Home) -> None:
    """Nobody but the owner may look into the folder with the secrets."""
    assert home.secrets.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("given", ["", "eighty", "80", "65530", "-8400", "8400.5", "٨٤٠٠"])
def test_an_unusable_port_base_is_named(given: str) -> None:
    """A port base that is no number, is privileged or leaves no room for the block is refused with its value."""
    with pytest.raises(Fault, match=f"EARSHOT_PORT_BASE is '{given}'; it must be a number from 1024 to 65523"):
        ports_from({"EARSHOT_PORT_BASE": given})


def test_a_port_base_of_any_length_is_named() -> None:
    """A port base with more digits than a number may have is refused in a message that stays short."""
    with pytest.raises(Fault, match="EARSHOT_PORT_BASE is '99999999999999999999'; it must be a number"):
        ports_from({"EARSHOT_PORT_BASE": "9" * 5_000})


def test_every_listener_has_its_place_in_the_block() -> None:
    """The ports follow the documented order from the base on."""
    ports = ports_from({})
    services = [ports.service(name) for name in ("scheduling", "sessions", "insights", "roadmap", "kpi")]
    assert [ports.gateway, *services] == [8400, 8401, 8402, 8403, 8404, 8405]
    assert [ports.postgres, ports.kafka, ports.kafka_controller] == [8410, 8411, 8412]


def test_folders_come_from_the_environment() -> None:
    """State folder and cache are where the environment says."""
    assert home_from({"EARSHOT_HOME": "/srv/earshot"}).root == Path("/srv/earshot")
    assert cache_from({"EARSHOT_CACHE": "/srv/cache"}) == Path("/srv/cache")
    assert cache_from({"XDG_CACHE_HOME": "/srv/xdg"}) == Path("/srv/xdg/earshot")
