"""Who calls Firestore: a token that is fetched anew when the database does not take it.

The client library fetches one before it runs out, by this machine's clock; a clock that is slow, or a token that was
withdrawn, is noticed by the database alone.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

import google.auth
import google.auth.credentials
import google.auth.transport.requests

SCOPE = "https://www.googleapis.com/auth/datastore"


@dataclass(slots=True)
class Identity:
    """Credentials of Google Cloud; None on the emulator, which takes everybody for its owner.

    `generation` is the number of tokens that were asked for here.
    """

    credentials: google.auth.credentials.Credentials | None
    request: google.auth.transport.Request | None = None
    generation: int = 0
    _renewing: asyncio.Lock = field(default_factory=asyncio.Lock, init=False)

    async def renew(self, generation: int) -> None:
        """Fetch a new token, unless another call has done so since this generation.

        Raises:
            google.auth.exceptions.GoogleAuthError: there is none to be had.
        """
        async with self._renewing:
            if self.generation != generation:
                return
            if self.credentials is not None:
                await asyncio.to_thread(self.credentials.refresh, self.request)
            self.generation += 1


def found_here() -> Identity:
    """The identity of this process: GOOGLE_APPLICATION_CREDENTIALS, workload identity or gcloud's own.

    Raises:
        google.auth.exceptions.DefaultCredentialsError: there is none.
    """
    credentials, _ = google.auth.default(scopes=[SCOPE])
    return Identity(credentials, google.auth.transport.requests.Request())
