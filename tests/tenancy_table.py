"""What a Namespace's annotations allow: one table for the operator and for the API server's admission policies."""

from __future__ import annotations

from typing import NamedTuple

from firelift.api.tenancy import BUCKETS, DATABASES, LONGEST

PROJECT, DATABASE = "shop-prod", "orders"
EXPORT = "gs://shop-backups/firestore"


class Row(NamedTuple):
    """Annotations of a Namespace, and what is said of shop-prod/orders and of `EXPORT`: nothing where it is allowed."""

    annotations: dict[str, str]
    database: str = ""
    bucket: str = ""


ALLOWED = {DATABASES: "shop-prod/orders"}
_SPELLING = "entries are <project>/<database> or <project>/*, separated by spaces or commas, so nothing is allowed"
_FOLDERS = "entries are <bucket>/* or <bucket>/<folder>/*, separated by spaces or commas, so nothing is allowed"
_NO_BUCKETS = f"it has no annotation {BUCKETS}, and it has the other of the two"
_LONG = " ".join([*["gym-prod/reservations"] * 185, "shop-prod/orders"])

ROWS: dict[str, Row] = {
    "nothing is said": Row({}),
    "just this database": Row(ALLOWED, bucket=_NO_BUCKETS),
    "all of the project": Row({DATABASES: "shop-prod/*"}, bucket=_NO_BUCKETS),
    "one of many": Row({DATABASES: "\n gym-prod/*,shop-prod/users\n\tshop-prod/orders, "}, bucket=_NO_BUCKETS),
    "as long as it may be": Row({DATABASES: _LONG}, bucket=_NO_BUCKETS),
    "another database": Row({DATABASES: "shop-prod/users"}, f"its annotation {DATABASES} allows shop-prod/users"),
    "names that begin alike": Row(
        {DATABASES: "shop-prod/orders2 shop-prod2/*"}, "allows shop-prod/orders2 shop-prod2/*"
    ),
    "nothing": Row({DATABASES: " , "}, f"its annotation {DATABASES} allows nothing"),
    "all projects": Row({DATABASES: "*/* shop-prod/orders"}, f"cannot be read at */*: {_SPELLING}"),
    "a star in a name": Row({DATABASES: "shop-prod/* shop-*/orders"}, f"cannot be read at shop-*/orders: {_SPELLING}"),
    "a project alone": Row({DATABASES: "shop-prod"}, f"cannot be read at shop-prod: {_SPELLING}"),
    "another separator": Row({DATABASES: "shop-prod/orders;"}, f"cannot be read at shop-prod/orders;: {_SPELLING}"),
    "too long": Row({DATABASES: f"{_LONG} gym-prod/a"}, f"is longer than {LONGEST:,} characters"),
    "buckets alone": Row(
        {BUCKETS: "shop-backups/*"}, f"it has no annotation {DATABASES}, and it has the other of the two"
    ),
    "its bucket": Row(ALLOWED | {BUCKETS: "gym-backups/*, shop-backups/*"}),
    "its folder": Row(ALLOWED | {BUCKETS: "shop-backups/firestore/*"}),
    "a folder that begins alike": Row(
        ALLOWED | {BUCKETS: "shop-backups/fire/*"}, bucket=f"its annotation {BUCKETS} allows shop-backups/fire/*"
    ),
    "a bucket that begins alike": Row(ALLOWED | {BUCKETS: "shop/*"}, bucket=f"its annotation {BUCKETS} allows shop/*"),
    "a folder below": Row(
        ALLOWED | {BUCKETS: "shop-backups/firestore/a/*"}, bucket="allows shop-backups/firestore/a/*"
    ),
    "a bucket without a star": Row(
        ALLOWED | {BUCKETS: "shop-backups"}, bucket=f"cannot be read at shop-backups: {_FOLDERS}"
    ),
    "a bucket with its scheme": Row(
        ALLOWED | {BUCKETS: "gs://shop-backups/*"}, bucket=f"cannot be read at gs://shop-backups/*: {_FOLDERS}"
    ),
}
