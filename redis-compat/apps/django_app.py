"""Django's sessions and cache in django-redis behind Sentinel: visits that were answered are in the session, and what
the cache offers works."""

import sys
import threading

import django
from django.conf import settings
from django.core.cache import cache
from django.http import JsonResponse
from django.urls import path

from common import JOBS, PORTS, SERVICE, insist, tell_half, until

settings.configure(
    SECRET_KEY="secret", ALLOWED_HOSTS=["*"], ROOT_URLCONF=__name__,
    MIDDLEWARE=["django.contrib.sessions.middleware.SessionMiddleware"],
    SESSION_ENGINE="django.contrib.sessions.backends.cache",
    DJANGO_REDIS_CONNECTION_FACTORY="django_redis.pool.SentinelConnectionFactory",
    CACHES={"default": {
        "BACKEND": "django_redis.cache.RedisCache", "LOCATION": f"redis://{SERVICE}/1",
        "OPTIONS": {"CLIENT_CLASS": "django_redis.client.DefaultClient", "SOCKET_TIMEOUT": 5,
                    "SENTINELS": [("127.0.0.1", port) for port in PORTS]}}})


def visit(request):
    request.session["visits"] = request.session.get("visits", 0) + 1
    return JsonResponse({"visits": request.session["visits"]})


urlpatterns = [path("visit", visit)]
VISITORS = 4


class Visitor(threading.Thread):
    answered = 0

    def __init__(self):
        super().__init__(daemon=True)
        self.visits, self.unknown, self.fault = 0, 0, None
        self.key, self.left = None, {}  # left: sessions of earlier keys, and the visits they had

    def run(self):
        from django.test import Client
        client = Client()
        while Visitor.answered < JOBS and not self.fault:
            try:
                visits = client.get("/visit").json()["visits"]
                key = client.cookies["sessionid"].value
            except Exception:  # the session was not read, or perhaps not written
                self.unknown += 1
                continue
            if key != self.key:  # Django begins a new session where the old one could not be read
                if self.key:
                    self.left[self.key] = self.visits
                self.key, self.visits, self.unknown = key, 0, 0
            if not self.visits < visits <= self.visits + self.unknown + 1:
                self.fault = f"visit {visits} after {self.visits} and {self.unknown} unknown"
            self.visits, self.unknown = visits, 0
            Visitor.answered += 1
            tell_half(Visitor.answered)


def check(what, found, expected):
    if found != expected:
        sys.exit(f"{what}: {found!r}, not {expected!r}")


def features():
    check("set", insist(lambda: cache.set("k", {"a": [1, 2.5, None]}, 100), "set"), True)
    check("get", cache.get("k"), {"a": [1, 2.5, None]})
    check("ttl", 0 < cache.ttl("k") <= 100, True)
    check("add", (cache.add("k", 1), cache.add("new", 1)), (False, True))
    check("incr", (cache.incr("new"), cache.incr("new", 5), cache.decr("new", 3)), (2, 7, 4))
    cache.set_many({f"many:{i}": i for i in range(50)}, 100)
    check("get_many", cache.get_many([f"many:{i}" for i in range(3)] + ["absent"]), {f"many:{i}": i for i in range(3)})
    check("keys", len(cache.keys("many:*")), 50)
    check("iter_keys", len(set(cache.iter_keys("many:*", itersize=10))), 50)
    check("touch", (cache.touch("k", 1000), 100 < cache.ttl("k") <= 1000, cache.touch("absent")), (True, True, False))
    check("persist", (cache.persist("k"), cache.ttl("k")), (True, None))
    check("get_or_set", (cache.get_or_set("once", lambda: "first"), cache.get_or_set("once", "second")),
          ("first", "first"))
    check("delete_pattern", (cache.delete_pattern("many:*"), cache.keys("many:*")), (50, []))
    check("delete_many", (cache.delete_many(["k", "once"]), cache.has_key("k")), (2, False))
    check("versions", (cache.set("v", 1, version=1), cache.incr_version("v"), cache.get("v", version=2)), (True, 2, 1))
    cache.set("short", 1, timeout=0.05)
    until(lambda: cache.get("short") is None, "expiry")
    total = []

    def add():
        with cache.lock("lock", timeout=10):
            total.append(cache.get("number", 0) + 1)
            cache.set("number", total[-1])
    threads = [threading.Thread(target=add) for _ in range(8)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    check("lock", total, list(range(1, 9)))


def main():
    django.setup()
    from django.contrib.sessions.backends.cache import SessionStore
    visitors = [Visitor() for _ in range(VISITORS)]
    [visitor.start() for visitor in visitors]
    [visitor.join(60) for visitor in visitors]
    check("sessions", [visitor.fault for visitor in visitors], [None] * VISITORS)
    for visitor in visitors:
        for key, visits in (visitor.left | {visitor.key: visitor.visits}).items():
            check(f"kept session of {visits} visits", SessionStore(key).get("visits", 0) >= visits, True)
    if Visitor.answered < JOBS:
        sys.exit(f"only {Visitor.answered} of {JOBS} visits were answered")
    features()
    cache.clear()
    check("clear", cache.get("number"), None)
    print(f"{Visitor.answered} visits answered")


if __name__ == "__main__":
    sys.modules["django_app"] = sys.modules[__name__]
    main()
