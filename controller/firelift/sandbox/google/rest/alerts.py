"""monitoring.googleapis.com over REST: alert policies, notification channels and dashboards."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

from firelift.sandbox.google.resources import Ids, Json, Resources, aborted, masked, not_found, precondition, timestamp
from firelift.sandbox.google.rest.routes import Call, Route, listed
from firelift.sandbox.google.values import invalid

if TYPE_CHECKING:
    from firelift.sandbox.google.calls import Clock

_POLICIES = "v3/projects/{project}/alertPolicies"
_CHANNELS = "v3/projects/{project}/notificationChannels"
_DASHBOARDS = "v1/projects/{project}/dashboards"
_SECRET_LABELS = frozenset({"auth_token", "password", "service_key"})
_HIDDEN = "**********"
_LAYOUTS = frozenset({"gridLayout", "mosaicLayout", "rowLayout", "columnLayout"})


class AlertsApi:
    """What Terraform makes of Cloud Monitoring; nothing rings here."""

    def __init__(self, clock: Clock, ids: Ids) -> None:
        self._clock = clock
        self._ids = ids
        self._policies = Resources()
        self._channels = Resources()
        self._dashboards = Resources()

    def routes(self) -> list[Route]:
        """Return the methods served."""
        return [*self._policy_routes(), *self._channel_routes(), *self._dashboard_routes()]

    def _policy_routes(self) -> list[Route]:
        policies, one = self._policies, f"{_POLICIES}/{{policy}}"
        return [
            Route("POST", _POLICIES, "CreateAlertPolicy", self._create_policy),
            Route(
                "GET",
                _POLICIES,
                "ListAlertPolicies",
                listed("alertPolicies", policies),
            ),
            Route("GET", one, "GetAlertPolicy", lambda call: policies.get(call.name)),
            Route("PATCH", one, "UpdateAlertPolicy", self._update_policy),
            Route("DELETE", one, "DeleteAlertPolicy", lambda call: _removed(policies, call)),
        ]

    def _channel_routes(self) -> list[Route]:
        channels, one = self._channels, f"{_CHANNELS}/{{channel}}"
        return [
            Route("POST", _CHANNELS, "CreateNotificationChannel", self._create_channel),
            Route(
                "GET",
                _CHANNELS,
                "ListNotificationChannels",
                listed("notificationChannels", channels),
            ),
            Route("GET", one, "GetNotificationChannel", lambda call: channels.get(call.name)),
            Route("PATCH", one, "UpdateNotificationChannel", self._update_channel),
            Route("DELETE", one, "DeleteNotificationChannel", self._delete_channel),
        ]

    def _dashboard_routes(self) -> list[Route]:
        dashboards, one = self._dashboards, f"{_DASHBOARDS}/{{dashboard}}"
        return [
            Route("POST", _DASHBOARDS, "CreateDashboard", self._create_dashboard),
            Route(
                "GET",
                _DASHBOARDS,
                "ListDashboards",
                listed("dashboards", dashboards),
            ),
            Route("GET", one, "GetDashboard", lambda call: dashboards.get(call.name)),
            Route("PATCH", one, "UpdateDashboard", self._update_dashboard),
            Route("DELETE", one, "DeleteDashboard", lambda call: _removed(dashboards, call)),
        ]

    def _create_policy(self, call: Call) -> Json:
        name = f"{call.name}/{self._ids.number()}"
        policy = {"enabled": True, **self._checked(name, call.body), "creationRecord": self._record(), "name": name}
        return self._policies.add(name, policy)

    def _update_policy(self, call: Call) -> Json:
        """Change what the mask names; the policy as a whole must still be one."""
        changed = masked(self._policies.get(call.name), call.body, call.mask)
        self._policies.put(call.name, {**self._checked(call.name, changed), "name": call.name})
        return self._policies.update(call.name, {"mutationRecord": self._record()}, None)

    def _checked(self, name: str, body: Json) -> Json:
        """Name the conditions as the service does."""
        conditions: list[Any] = body.get("conditions") or []
        if not conditions or not body.get("combiner"):
            raise invalid("an alert policy needs a combiner and at least one condition")
        for channel in body.get("notificationChannels") or []:
            if channel not in self._channels:
                raise not_found(f"notification channel {channel}")
        named = [{**one, "name": f"{name}/conditions/{number}"} for number, one in enumerate(conditions)]
        return {**body, "conditions": named}

    def _create_channel(self, call: Call) -> Json:
        if not call.body.get("type"):
            raise invalid("a notification channel needs a type, such as email")
        name = f"{call.name}/{self._ids.number()}"
        records = {"creationRecord": self._record(), "mutationRecords": [self._record()]}
        return self._channels.add(name, {"enabled": True, **_hidden(call.body), **records, "name": name})

    def _update_channel(self, call: Call) -> Json:
        """Change what the mask names; without one, the channel is replaced."""
        known = self._channels.get(call.name)
        kept = {
            "creationRecord": known["creationRecord"],
            "mutationRecords": [*known["mutationRecords"], self._record()],
        }
        changed = masked(known, call.body, call.mask) if call.mask else {"enabled": True, **call.body}
        return self._channels.put(call.name, {**_hidden(changed), **kept, "name": call.name})

    def _delete_channel(self, call: Call) -> Json:
        """One that an alert policy notifies goes only by force, and then out of the policy, too."""
        self._channels.get(call.name)
        for policy in self._policies.below("projects"):
            notified = policy.get("notificationChannels") or []
            if call.name in notified and call.query.get("force") != "true":
                raise precondition(f"Cannot delete {call.name}: it is referenced by {policy['name']}")
            left = [channel for channel in notified if channel != call.name]
            self._policies.put(policy["name"], {**policy, "notificationChannels": left})
        return _removed(self._channels, call)

    def _create_dashboard(self, call: Call) -> Json:
        _check_dashboard(call.body)
        name = f"{call.name}/{uuid.uuid4()}"
        return self._dashboards.add(name, {**call.body, "name": name, "etag": self._etag()})

    def _update_dashboard(self, call: Call) -> Json:
        etag = self._dashboards.get(call.name)["etag"]
        if call.body.get("etag", etag) != etag:
            raise aborted(f"the etag of {call.name} is not the one of now; read it again")
        _check_dashboard(call.body)
        return self._dashboards.put(call.name, {**call.body, "name": call.name, "etag": self._etag()})

    def _record(self) -> Json:
        return {"mutateTime": timestamp(self._clock.now())}

    def _etag(self) -> str:
        return f"d{self._ids.number()}"


def _hidden(channel: Json) -> Json:
    """Hide the secret labels, which the service never answers in clear."""
    labels = channel.get("labels")
    if not labels:
        return channel
    return {**channel, "labels": {key: _HIDDEN if key in _SECRET_LABELS else value for key, value in labels.items()}}


def _check_dashboard(body: Json) -> None:
    if not body.get("displayName") or len(_LAYOUTS & body.keys()) != 1:
        raise invalid(f"a dashboard needs a displayName and exactly one of {', '.join(sorted(_LAYOUTS))}")


def _removed(kept: Resources, call: Call) -> Json:
    kept.remove(call.name)
    return {}
