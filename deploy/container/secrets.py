"""Makes the secrets of a Docker host on its first start, each readable by the one user that needs it.

`python -m deploy.container.secrets FOLDER` fills a volume; with `--rotate` the gateway gets a new signing key:
    postgres/password                the database's superuser password (uid of the official image's postgres)
    migrate/earshot_migration_dsn    for the migration job
    <service>/earshot_database_dsn   for one service; its container runs as uid 10001, 10002, … in the services' order
    webhooks/earshot_webhook_key     for the webhooks: what seals the receivers' secrets
    gateway/earshot_database_dsn     for the gateway, and the key it signs with:
    gateway/signing-key.pem
    jwks.json                        for everybody
The file names are those of the settings, which are read from EARSHOT_SECRETS_DIR.
"""

import os
import secrets
import sys
from pathlib import Path

from deploy.local import keys
from deploy.local.paths import Home
from services import DEPLOYABLE

POSTGRES_UID = 999
GATEWAY_UID = 10000
DATABASE = "postgres:5432/earshot"


def main(folder: Path, *, rotate: bool = False) -> None:
    home = Home(folder)
    home.secrets.mkdir(parents=True, exist_ok=True, mode=0o700)
    superuser = _written(folder / "postgres" / "password", POSTGRES_UID, secrets.token_urlsafe(32))
    _written(folder / "migrate" / "earshot_migration_dsn", 0, f"postgresql://postgres:{superuser}@{DATABASE}")
    for number, service in enumerate(DEPLOYABLE, start=1):
        dsn = f"postgresql://earshot_{service}:{secrets.token_urlsafe(32)}@{DATABASE}"
        _written(folder / service / "earshot_database_dsn", GATEWAY_UID + number, dsn)
    sealing = GATEWAY_UID + 1 + DEPLOYABLE.index("webhooks"), secrets.token_urlsafe(32)
    _written(folder / "webhooks" / "earshot_webhook_key", *sealing)
    dsn = f"postgresql://earshot_gateway:{secrets.token_urlsafe(32)}@{DATABASE}"
    _written(folder / "gateway" / "earshot_database_dsn", GATEWAY_UID, dsn)
    if rotate:
        keys.rotate(home)
    # Whole or not at all: services and gateway may read them at any time.
    public, private = folder / "jwks.json.new", folder / "gateway" / "signing-key.pem.new"
    public.write_text(keys.jwks(home).read_text())
    public.chmod(0o444)
    public.replace(public.with_suffix(""))
    _written(private, GATEWAY_UID, keys.signing_key(home).read_text())
    private.replace(private.with_suffix(""))


def _written(file: Path, owner: int, content: str) -> str:
    """The file's content; written once, for its owner alone."""
    if file.exists():
        return file.read_text()
    file.parent.mkdir(exist_ok=True)
    file.touch(mode=0o400)
    file.write_text(content)
    os.chown(file, owner, owner)
    return content


if __name__ == "__main__":
    main(Path(sys.argv[1]), rotate="--rotate" in sys.argv[2:])
