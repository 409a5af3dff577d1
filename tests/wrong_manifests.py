"""Manifests that are wrong, each with the sentence that it must get, from the API server and offline alike."""

from typing import Any, NamedTuple

import pytest
from _pytest.mark import ParameterSet
from tests.manifests import REMOVE, Edit, flags, migrate, phase


class Wrong(NamedTuple):
    """A wrong manifest: the right one with `edits`."""

    edits: tuple[Edit, ...]
    sentence: str
    offline: str = ""
    """What pydantic says where JSON Schema's own words are the API server's; empty: the same sentence."""


_PHASE = "spec.phases.0"
_MIGRATE, _VERIFY, _SOAK = f"{_PHASE}.steps.1", f"{_PHASE}.steps.2", f"{_PHASE}.steps.4"
_FIRST = f"{_PHASE}.steps.0"
_FLAGS = f"{_FIRST}.flags"
_COPY, _IN_PLACE = "spec.migrations.0", "spec.migrations.1"
_SOURCE, _TARGET = f"{_COPY}.source.collection", f"{_COPY}.target.document"
_RATIO = "spec.gates.0"
_RESERVED = "must not use `_firelift`, names that start with `firelift_`, `__names__`, `.` or `..`"
_VERBS = "flags, migrate, verify, soak, approve, sweep, delete, indexes, backup, restore"
_ONE_VERB = f"a step must have exactly one of {_VERBS}, not"
_TO_RESTORE = {"restore": {"export": "gs://shop-backups/monday", "collections": ["logs"]}, "irreversible": True}
_PARITY = "`collection` must be a path of an odd number of segments, none of them empty, not"
_TEMPLATE = "`document` must be collection ids and document ids in turn, an even number of segments"
_FALLS = "the percent of a migration must never fall from one migrate step to a later one"


def _wrong(name: str, sentence: str, *edits: Edit, offline: str = "") -> ParameterSet:
    return pytest.param(Wrong(edits, sentence, offline), id=name)


_STEPS = (
    _wrong("a step with two verbs", f"{_ONE_VERB} 2", (f"{_SOAK}.approve", {})),
    _wrong("a step without a verb", f"{_ONE_VERB} 0", (_SOAK, {"name": "nothing"})),
    _wrong(
        "two steps of one verb without names",
        "names of steps must be unique within a phase",
        (f"{_PHASE}.steps.0.name", REMOVE),
        (f"{_PHASE}.steps.3.name", REMOVE),
    ),
    _wrong(
        "a name that is another step's verb",
        "names of steps must be unique within a phase",
        (f"{_PHASE}.steps.0.name", "soak"),
    ),
    _wrong("flags that set nothing", "flags must have `set` or `publishCohort`", (f"{_FLAGS}.publishCohort", REMOVE)),
    _wrong(
        "a flag that is set twice",
        "keys of `publishCohort`, and the same with `_SEED`, must not be set otherwise",
        (f"{_FLAGS}.set", {"WRITE_BOTH_SEED": "mine"}),
    ),
    _wrong(
        "a flag with a key that no app can read",
        "match ^[A-Za-z_][A-Za-z0-9_]*$",
        (f"{_FLAGS}.set", {"a-b": "1"}),
        offline="should match pattern",
    ),
    _wrong(
        "flags that end before they are heard",
        "`maxSeconds` must be more than the 60 of `propagationSeconds`, not 60",
        (f"{_FLAGS}.maxSeconds", 60),
    ),
    _wrong(
        "a published percent with a time limit",
        "`maxSeconds` must not come with `publishCohort`",
        (f"{_FLAGS}.maxSeconds", 600),
    ),
    _wrong(
        "a timeout shorter than the soak",
        "`timeoutSeconds` must be more than the 600 s that the step lasts, not 600",
        (f"{_SOAK}.timeoutSeconds", 600),
    ),
    _wrong(
        "an action without a timeout", "`onTimeout` must come with `timeoutSeconds`", (f"{_SOAK}.onTimeout", "Pause")
    ),
    _wrong(
        "a timeout shorter than indexes must have been there",
        "`timeoutSeconds` must be more than the 600 s that the step lasts, not 600",
        (_SOAK, {"indexes": {"environment": "prod", "minReadySeconds": 600}, "timeoutSeconds": 600}),
    ),
    _wrong(
        "indexes of nothing",
        f"{_SOAK}.indexes.environment: Required value".replace(".phases.0.steps.4", ".phases[0].steps[4]"),
        (_SOAK, {"indexes": {}}),
        offline="Field required",
    ),
    _wrong(
        "an irreversible soak",
        "only `flags`, `migrate`, `delete` and `restore` can be `irreversible`",
        (f"{_SOAK}.irreversible", True),
    ),
    _wrong(
        "a backup that is neither made nor looked for",
        "a backup step must have exactly one of `export`, which makes one, and `maxAgeSeconds`",
        (_SOAK, {"backup": {"minBytes": 5}}),
    ),
    _wrong(
        "a backup that is made and looked for",
        "a backup step must have exactly one of `export`, which makes one, and `maxAgeSeconds`",
        (_SOAK, {"backup": {"export": {"bucket": "gs://shop-backups"}, "maxAgeSeconds": 600}}),
    ),
    _wrong(
        "an export to no bucket",
        "should match",
        (_SOAK, {"backup": {"export": {"bucket": "s3://shop-backups"}}}),
        offline="should match pattern",
    ),
    _wrong(
        "an irreversible backup",
        "only `flags`, `migrate`, `delete` and `restore` can be `irreversible`",
        (_SOAK, {"backup": {"maxAgeSeconds": 600}, "irreversible": True}),
    ),
    _wrong(
        "a restore that a revert would pass",
        "a restore step must be `irreversible: true`",
        (_FIRST, {"name": "write-both", "restore": _TO_RESTORE["restore"]}),
    ),
    _wrong(
        "a restore of everything",
        "should have at least 1 items",
        (_FIRST, {**_TO_RESTORE, "restore": {"export": "gs://shop-backups/monday", "collections": []}}),
        offline="at least 1 item",
    ),
    _wrong(
        "a restore of a whole bucket",
        "should match",
        (_FIRST, {**_TO_RESTORE, "restore": {"export": "gs://shop-backups", "collections": ["logs"]}}),
        offline="should match pattern",
    ),
    _wrong(
        "a restore of the ledgers",
        "`collections` of a restore step must not have `_firelift`",
        (_FIRST, {**_TO_RESTORE, "restore": {"export": "gs://b-1/a", "collections": ["logs", "firelift_journal"]}}),
    ),
    _wrong(
        "a restore behind a migrate step",
        "a restore step must stand in front of every migrate, sweep and delete step",
        (_SOAK, _TO_RESTORE),
    ),
    _wrong(
        "a restore in a later phase",
        "a restore step must stand in front of every migrate, sweep and delete step",
        (_FIRST.replace("phases.0", "phases.1"), _TO_RESTORE),
    ),
    _wrong(
        "a delete that nobody has approved",
        "a delete step must have an approve step in front of it in its phase",
        (f"{_PHASE}.steps.5", REMOVE),
    ),
    _wrong(
        "a delete of everything",
        "should have at least 1 items",
        (f"{_PHASE}.steps.7.delete.migrations", []),
        offline="at least 1 item",
    ),
    _wrong(
        "a delete of what was changed in place",
        "a delete step must name migrations of `spec.migrations` that copy",
        (f"{_PHASE}.steps.7.delete.migrations", ["tasks"]),
    ),
    _wrong(
        "irreversible and kept",
        "an `irreversible` step must not have `onRevert: Keep`",
        (f"{_MIGRATE}.irreversible", True),
        (f"{_MIGRATE}.onRevert", "Keep"),
    ),
    _wrong(
        "a cohort by percent and by ids",
        "a cohort must have exactly one of `percent`, `ids` and `where`",
        (f"{_MIGRATE}.migrate.cohort.ids", ["ada"]),
    ),
    _wrong(
        "a cohort of nobody",
        "a cohort must have exactly one of `percent`, `ids` and `where`",
        (f"{_MIGRATE}.migrate.cohort", {}),
    ),
    _wrong(
        "a condition of two values",
        "a condition must have exactly one of `equals`, `anyOf`, `equalsInteger` and `is`",
        (f"{_MIGRATE}.migrate.cohort", {"where": [{"field": "plan", "equals": "pro", "is": True}]}),
    ),
    _wrong(
        "conditions that multiply",
        "a cohort must have `anyOf` in one condition at most",
        (f"{_MIGRATE}.migrate.cohort", {"where": [{"field": name, "anyOf": ["a", "b"]} for name in ("x", "y")]}),
    ),
    _wrong("a cohort of 101 %", "should be less than or equal to 100", (f"{_MIGRATE}.migrate.cohort.percent", 101)),
    _wrong(
        "a migration named twice in a step", "Duplicate value", (f"{_MIGRATE}.migrate.migrations", ["logs", "logs"])
    ),
    _wrong(
        "a verify of nothing",
        "a verify step must name its `migrations` where its phase has migrated nothing in front of it",
        (f"{_PHASE}.steps.1", REMOVE),
    ),
    _wrong(
        "a sweep of nothing",
        "a sweep step must name its `migrations` where its phase has migrated nothing in front of it",
        (f"{_PHASE}.steps.1", {"sweep": {}}),
    ),
    _wrong(
        "a sweep of something unknown",
        "steps must only name migrations of `spec.migrations`",
        (f"{_PHASE}.steps.6.sweep.migrations", ["habits"]),
    ),
    _wrong(
        "a rehearsal without a check",
        "a phase to `rehearse` must have a verify step behind a migrate step",
        (f"{_PHASE}.rehearse", True),
        (f"{_PHASE}.steps.2", {"name": "nothing", "soak": {"seconds": 60}}),
    ),
    _wrong(
        "a rehearsal of what cannot be taken back",
        "up to there only what can be undone",
        (f"{_PHASE}.rehearse", True),
        (f"{_MIGRATE}.irreversible", True),
    ),
    _wrong("a rehearsal of a later phase", "only the first phase can be rehearsed", ("spec.phases.1.rehearse", True)),
    _wrong("a way back of no time", "should be greater than or equal to 1", ("spec.maxRevertSeconds", 0)),
    _wrong("a phase's way back of no time", "should be greater than or equal to 1", (f"{_PHASE}.maxRevertSeconds", 0)),
    _wrong("a sweep of 21 passes", "should be less than or equal to 20", (f"{_PHASE}.steps.6.sweep.maxPasses", 21)),
    _wrong("a sample of 200 %", "should match", (f"{_VERIFY}.verify.sample", "200%"), offline="should match pattern"),
)

_MIGRATIONS = (
    _wrong(
        "two sources",
        "a source must have exactly one of `collection` and `collectionGroup`",
        (f"{_COPY}.source.collectionGroup", "logs"),
    ),
    _wrong("no target", "a target must have exactly one of `document`, `inPlace` and `aggregate`", (_TARGET, REMOVE)),
    _wrong("a document as source", f"{_PARITY} users/ada", (_SOURCE, "users/ada")),
    _wrong("an empty segment", f"{_PARITY} users//logs", (_SOURCE, "users//logs")),
    _wrong(
        "a group with a slash",
        "`collectionGroup` must be one collection id, without a slash",
        (f"{_IN_PLACE}.source.collectionGroup", "users/tasks"),
    ),
    _wrong("the ledger as source", f"`collection` {_RESERVED}", (_SOURCE, "_firelift")),
    _wrong(
        "a journal as source",
        f"`collectionGroup` {_RESERVED}",
        (f"{_IN_PLACE}.source.collectionGroup", "firelift_journal"),
    ),
    _wrong("Firestore's own names as target", f"`document` {_RESERVED}", (_TARGET, "__all__/{id}")),
    _wrong("a collection as target", _TEMPLATE, (_TARGET, "users/{doc.userId}/logs")),
    _wrong("a collection that depends on the document", _TEMPLATE, (_TARGET, "{doc.kind}/{id}")),
    _wrong(
        "an unknown placeholder",
        "placeholders of `document` must be {id}, {entity}, {doc.<field path>}, {item}, {item.<field path>} or {index}",
        (_TARGET, "users/{user}"),
    ),
    _wrong(
        "elements without a place of their own",
        "one-to-many must have {item.<field path>}, {item} or {index} in `target.document`",
        (f"{_COPY}.target.forEach", "doc.items"),
    ),
    _wrong(
        "a place for elements that there are none of",
        "{item} and {index} in `target.document` must come with `target.forEach` or `python.many`",
        (_TARGET, "users/{doc.userId}/logs/{index}"),
    ),
    _wrong(
        "a function that splits, and forEach",
        "`target.forEach` must not come with `transform.python`",
        (f"{_COPY}.target", {"document": "users/{id}/logs/{item}", "forEach": "doc.items"}),
        (f"{_COPY}.transform", {"python": {"entrypoint": "shop.migrations:split", "many": True}}),
    ),
    _wrong(
        "forEach in place",
        "one-to-many must have {item.<field path>}",
        (f"{_IN_PLACE}.target.forEach", "doc.items"),
    ),
    _wrong(
        "a way back from many",
        "`reverse` must not come with one-to-many",
        (f"{_COPY}.target", {"document": "users/{id}/logs/{item}", "forEach": "doc.items"}),
        (f"{_COPY}.reverse", {"document": "fitness_logs/{id}"}),
    ),
    _wrong(
        "a way back to many",
        "`reverse` must not have `python.many`",
        (f"{_COPY}.reverse", {"transform": {"python": {"entrypoint": "shop.migrations:back", "many": True}}}),
    ),
    _wrong(
        "a way back in place to elsewhere",
        "`reverse` in place must come with `appliesWhen`, which tells the two shapes apart, and without `document`",
        (f"{_IN_PLACE}.reverse", {"document": "tasks/{id}"}),
    ),
    _wrong(
        "a way back to nowhere",
        "`reverse` must have `document`, unless the source is one collection and the target ends in /{id}",
        (_TARGET, "users/{doc.userId}/logs/{doc.number}"),
        (f"{_COPY}.reverse", {}),
    ),
    _wrong(
        "a way back to a collection",
        "`document` must be collection ids and document ids in turn, with {id}, {entity} or {doc.<field path>}",
        (f"{_COPY}.reverse", {"document": "fitness_logs"}),
    ),
    _wrong(
        "a way back into the ledger",
        f"`document` {_RESERVED}",
        (f"{_COPY}.reverse", {"document": "_firelift/{id}"}),
    ),
    _wrong(
        "a way back from code without code",
        "`reverse` of a Python transform must have a `transform` of its own: code cannot be inverted",
        (f"{_COPY}.transform", {"python": {"entrypoint": "shop.migrations:convert"}}),
        (f"{_COPY}.reverse", {}),
    ),
    _wrong(
        "a way back for whoever keeps conditions",
        "a cohort by `where` must not move a migration with `reverse`",
        (f"{_MIGRATE}.migrate.cohort", {"where": [{"field": "plan", "equals": "pro"}]}),
    ),
    _wrong("one target for all", "`document` must have a placeholder", (_TARGET, "users/ada")),
    _wrong(
        "a target in its source",
        "`target.document` must not lie in the collection that is the source",
        (_TARGET, "fitness_logs/{doc.newId}"),
    ),
    _wrong(
        "a target in its group",
        "`target.document` must not lie in the collection that is the source",
        (f"{_COPY}.source", {"collectionGroup": "fitness_logs"}),
    ),
    _wrong(
        "in place without a mark",
        "a migration in place must have `appliesWhen` or `marker`",
        (f"{_IN_PLACE}.appliesWhen", REMOVE),
    ),
    _wrong(
        "a mark on a copy",
        "`marker` must be used with `target.inPlace`",
        (f"{_COPY}.marker", {"field": "moved", "value": "yes"}),
    ),
    _wrong(
        "in place without a change",
        "a migration in place must have a transform that does something",
        (f"{_IN_PLACE}.transform", REMOVE),
    ),
    _wrong(
        "Python and rename",
        "a transform must have either `python` or `rename`, `set` and `remove`, not both",
        (f"{_COPY}.transform.python", {"entrypoint": "shop.migrations:convert"}),
    ),
    _wrong(
        "an entry point without a function",
        "should match",
        (f"{_COPY}.transform", {"python": {"entrypoint": "shop"}}),
        offline="should match pattern",
    ),
    _wrong(
        "entities without a key",
        "`entityCollection` must come with `entityKey`",
        (f"{_COPY}.entityKey", REMOVE),
        (f"{_COPY}.entityCollection", "users"),
    ),
    _wrong(
        "a document as entities",
        "`entityCollection` must be a path of an odd number of segments",
        (f"{_COPY}.entityCollection", "users/ada"),
    ),
    _wrong("the ledger as entities", f"`entityCollection` {_RESERVED}", (f"{_COPY}.entityCollection", "_firelift")),
    _wrong(
        "a marker without a list of entities",
        "`entityMarker` must come with `entityCollection`",
        (f"{_COPY}.entityCollection", REMOVE),
        (f"{_COPY}.entityMarker", {"document": "users/{entity}/meta/migration", "set": {"state": "'done'"}}),
    ),
    _wrong(
        "one marker for all",
        "`document` of a marker must be collection ids and document ids in turn",
        (f"{_COPY}.entityMarker", {"document": "meta/migration", "set": {"state": "'done'"}}),
    ),
    _wrong(
        "a marker by a document's field",
        "`document` of a marker must be collection ids and document ids in turn",
        (f"{_COPY}.entityMarker", {"document": "meta/{doc.userId}", "set": {"state": "'done'"}}),
    ),
    _wrong(
        "a group without an entity",
        "`document` of an aggregate must be collection ids and document ids in turn, one of these `{entity}`",
        (f"{_COPY}.target", {"aggregate": {"document": "stats/{day}", "set": {"n": {"count": "true"}}}}),
    ),
    _wrong(
        "a key that no target has",
        "`document` of an aggregate must have all `keys`",
        (
            f"{_COPY}.target",
            {"aggregate": {"document": "stats/{entity}", "keys": {"day": "doc.d"}, "set": {"n": {"count": "true"}}}},
        ),
    ),
    _wrong(
        "a field of two operations",
        "a field of an aggregate must have exactly one of",
        (
            f"{_COPY}.target",
            {"aggregate": {"document": "stats/{entity}", "set": {"n": {"count": "true", "sum": "1"}}}},
        ),
    ),
    _wrong(
        "an aggregate of nothing",
        "an aggregate must have either `set` or `python`",
        (f"{_COPY}.target", {"aggregate": {"document": "stats/{entity}"}}),
    ),
    _wrong(
        "an aggregate with a transform",
        "`target.aggregate` must come without `transform`, `validate`, `entityMarker` and `reverse`",
        (f"{_COPY}.target", {"aggregate": {"document": "stats/{entity}", "set": {"n": {"count": "true"}}}}),
    ),
    _wrong("an unknown policy", "Unsupported value", (f"{_COPY}.onExisting", "Merge"), offline="Input should be"),
)

_GATES = (
    _wrong(
        "a gate that asks two",
        "a gate must have exactly one of `cloudMonitoring`, `ledger` and `environment`",
        (f"{_RATIO}.ledger", {"metric": "deadLetters"}),
    ),
    _wrong(
        "a gate that asks nothing",
        "a gate must have exactly one of `cloudMonitoring`, `ledger` and `environment`",
        (f"{_RATIO}.cloudMonitoring", REMOVE),
    ),
    _wrong(
        "a gate on a condition that no environment has",
        "Unsupported value",
        (f"{_RATIO}.cloudMonitoring", REMOVE),
        (f"{_RATIO}.environment", {"name": "production", "condition": "Beautiful"}),
        offline="Input should be 'IndexesReady', 'TTLActive' or 'Drifted'",
    ),
    _wrong(
        "a gate without a limit",
        "a limit must have `min`, `max` or both, or `condition` alone",
        (f"{_RATIO}.limit", {}),
    ),
    _wrong(
        "a gate with two kinds of limit",
        "a limit must have `min`, `max` or both, or `condition` alone",
        (f"{_RATIO}.limit.condition", "value < 1.0"),
    ),
    _wrong(
        "a condition that is more than arithmetic",
        "should match",
        (f"{_RATIO}.limit", {"condition": "value < 0.01 // agreed with the app's owners"}),
        offline="should match pattern",
    ),
    _wrong(
        "half a ratio",
        "a Cloud Monitoring measure must have either `query`, or `numerator` and `denominator`",
        (f"{_RATIO}.cloudMonitoring.denominator", REMOVE),
    ),
    _wrong(
        "a query and a ratio",
        "a Cloud Monitoring measure must have either `query`, or `numerator` and `denominator`",
        (f"{_RATIO}.cloudMonitoring.query", {"filter": "x"}),
    ),
    _wrong(
        "more failures than samples",
        "`failures` must be at most `of`: 6 of 5 samples can never fail",
        (f"{_RATIO}.failAfter.failures", 6),
    ),
    _wrong(
        "a limit in an unknown unit",
        "should match",
        (f"{_RATIO}.limit.max", "5 apples"),
        offline="should match pattern",
    ),
    _wrong("two gates of one name", "Duplicate value", ("spec.gates.1.name", "error-rate")),
)

_ROLLOUT = (
    _wrong(
        "an unknown migration to move",
        'steps must only name migrations of `spec.migrations`: ["logs", "tasks"]',
        (f"{_MIGRATE}.migrate.migrations", ["log"]),
    ),
    _wrong(
        "an unknown migration to verify",
        'steps must only name migrations of `spec.migrations`: ["logs", "tasks"]',
        (f"{_VERIFY}.verify.migrations", ["log"]),
    ),
    _wrong(
        "a percent that falls", _FALLS, (f"{_MIGRATE}.migrate.cohort.percent", 50), ("spec.phases.1", phase("less", 10))
    ),
    _wrong(
        "a percent that falls within a phase", _FALLS, ("spec.phases.1.steps.6", {"name": "less", **migrate(5, "logs")})
    ),
    _wrong(
        "a percent that falls across a phase of others",
        _FALLS,
        ("spec.phases.0", {"name": "logs", "steps": [migrate(100, "logs")]}),
        ("spec.phases.1", {"name": "tasks", "steps": [migrate(50, "tasks")]}),
        ("spec.phases.2", {"name": "both", "steps": [migrate(60, "tasks", "logs")]}),
    ),
    _wrong(
        "a published percent that falls",
        "a published percent must never fall from one flags step to a later one",
        ("spec.phases.1.steps.0.flags.publishCohort", {"WRITE_BOTH": 0}),
    ),
    _wrong(
        "a published percent that falls within a phase",
        "a published percent must never fall from one flags step to a later one",
        ("spec.phases.1.steps.6", {"name": "less", **flags("READ_NEW", 99)}),
    ),
    _wrong(
        "a soak that nothing judges",
        "a soak without gates must say `evidence: None`: nothing would judge it",
        ("spec.gates", []),
    ),
    _wrong("two phases of one name", "Duplicate value", ("spec.phases.1.name", "one-percent")),
    _wrong("two migrations of one name", "Duplicate value", (f"{_IN_PLACE}.name", "logs")),
    _wrong(
        "revertTo without a revert",
        "`revertTo` must come with `intent: Revert`",
        ("spec.intent", "Abort"),
        ("spec.revertTo", "RolloutStart"),
    ),
    _wrong(
        "a pace of entities that nobody lists",
        "`perEntityWritesPerMinute` must come with `entityKey` and `entityCollection` in every migration",
        ("spec.pace", {"perEntityWritesPerMinute": 5}),
    ),
    _wrong(
        "a variable that is the operator's",
        "names of variables that start with FIRELIFT_ are the operator's",
        ("spec.worker.env.0.name", "FIRELIFT_RUN"),
    ),
    _wrong(
        "a variable with two values",
        "a variable must have exactly one of `value` and `valueFrom`",
        ("spec.worker.env.0.valueFrom", {"secretKeyRef": {"name": "keys", "key": "mode"}}),
    ),
    _wrong(
        "a variable from two places",
        "`valueFrom` must have exactly one of `configMapKeyRef` and `secretKeyRef`",
        (
            "spec.worker.env.0",
            {
                "name": "MODE",
                "valueFrom": {
                    "secretKeyRef": {"name": "keys", "key": "mode"},
                    "configMapKeyRef": {"name": "keys", "key": "mode"},
                },
            },
        ),
    ),
    _wrong("no phases", "should have at least 1 items", ("spec.phases", []), offline="should have at least 1 item"),
    *(
        _wrong(
            name,
            "`uid` must be as `gcloud firestore databases describe` says it: a UUID in lower case",
            ("spec.database.uid", uid),
        )
        for name, uid in {
            "a database's name for its uid": "(default)",
            "a uid in capitals": "3B9D5A0E-5D0C-4C43-9A0B-1F2D6C8E7A90",
        }.items()
    ),
    _wrong("no database", "Required value", ("spec.database", REMOVE), offline="Field required"),
    _wrong(
        "a misspelt field",
        'unknown field "spec.ledgerId"',
        ("spec.ledgerId", "mine"),
        offline="Extra inputs are not permitted",
    ),
    _wrong(
        "a field that is not there yet",
        'unknown field "spec.calendar"',
        ("spec.calendar", {}),
        offline="Extra inputs are not permitted",
    ),
    _wrong(
        "an environment without a name",
        "spec.requires.environment.name: Required value",
        ("spec.requires", {"environment": {}}),
        offline="Field required",
    ),
    _wrong(
        "a required backup of any age",
        "spec.requires.backup.maxAgeSeconds: Required value",
        ("spec.requires", {"backup": {"minBytes": 1}}),
        offline="Field required",
    ),
    _wrong(
        "a required rollout without a name",
        "a required rollout must have exactly one of `name` and `digest`",
        ("spec.requires.rollouts.0", {"same": "Plan"}),
    ),
    _wrong(
        "a required rollout with a name and a digest",
        "a required rollout must have exactly one of `name` and `digest`",
        ("spec.requires.rollouts.1.name", "right"),
    ),
    _wrong(
        "a digest that has soaked",
        "`namespace` and `soakedSeconds` must come with `name`: of a digest nobody knows where and since when",
        ("spec.requires.rollouts.1.soakedSeconds", 60),
    ),
    _wrong(
        "a digest of a namespace",
        "`namespace` and `soakedSeconds` must come with `name`: of a digest nobody knows where and since when",
        ("spec.requires.rollouts.1.namespace", "staging"),
    ),
    _wrong(
        "a digest of a plan that is none",
        "should match",
        ("spec.requires.rollouts.1.digest", "latest"),
        offline="should match pattern",
    ),
    _wrong(
        "too many required rollouts",
        "must have at most 8 items",
        ("spec.requires.rollouts", [{"name": f"r{number}"} for number in range(9)]),
        offline="should have at most 8 items",
    ),
    _wrong("a namespace promoted to twice", "Duplicate value", ("spec.promotesTo.1", "production")),
    _wrong(
        "a rate that is no whole number",
        "must be of type integer",
        ("spec.pace", {"maxWritesPerSecond": 0.5}),
        offline="Input should be a valid integer",
    ),
)

WRONG_ROLLOUTS: tuple[Any, ...] = (*_STEPS, *_MIGRATIONS, *_GATES, *_ROLLOUT)

WRONG_APPROVALS: tuple[Any, ...] = (
    _wrong(
        "an override of no gate",
        "an Override must name its `gate` and its `expiresTime`",
        ("spec.decision", "Override"),
        ("spec.expiresTime", "2030-01-01T00:00:00Z"),
    ),
    _wrong(
        "an override for ever",
        "an Override must name its `gate` and its `expiresTime`",
        ("spec.decision", "Override"),
        ("spec.gate", "error-rate"),
    ),
    _wrong(
        "a gate that is not overridden",
        "`gate` must only be used with the decision Override",
        ("spec.gate", "error-rate"),
    ),
    _wrong(
        "an export that is not restored",
        "`restores` must only be used to approve the restore step of a MigrationRollout",
        ("spec.decision", "Skip"),
        ("spec.restores", "gs://shop-backups/monday"),
    ),
    _wrong("a digest that is none", "should match", ("spec.digest", "latest"), offline="should match pattern"),
    _wrong("an unknown decision", "Unsupported value", ("spec.decision", "Maybe"), offline="Input should be"),
    _wrong("an unknown kind of target", "Unsupported value", ("spec.target.kind", "Job"), offline="Input should be"),
)
