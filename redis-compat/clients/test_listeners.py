"""Debian's python3-redis on three nodes: subscribers on followers, keyspace events, client-side caching, users."""

import unittest

import redis

from cluster import Cluster, wait_for


def client_of(node, **options):
    return redis.Redis(port=node.port, decode_responses=True, **options)


class ThreeNodes(unittest.TestCase):
    """A cluster of its own for each test: one that lost a node closes subscribers when that comes back."""

    def setUp(self):
        self.cluster = Cluster()
        self.cluster.__enter__()
        self.leader = self.cluster.wait_leader()
        self.clients = []
        wait_for(self.all_hear_each_other, "message from every node on every node")

    def all_hear_each_other(self):
        """What is published before the link to a node is up is missed there, and closes its subscribers."""
        try:
            listeners = [self.subscriber(node, "greeting") for node in self.cluster.nodes]
            for node in self.cluster.nodes:
                self.client(node).publish("greeting", "hello")
            return all(listener.get_message(timeout=1) for listener in listeners for _ in self.cluster.nodes)
        except redis.ConnectionError:
            return False

    def tearDown(self):
        for client in self.clients:
            client.close()
        self.cluster.__exit__(None)

    def client(self, node, **options):
        self.clients.append(client_of(node, **options))
        return self.clients[-1]

    def subscriber(self, node, *channels, **patterns):
        listener = self.client(node).pubsub(ignore_subscribe_messages=True)
        if channels:
            listener.subscribe(*channels)
        if patterns:
            listener.psubscribe(*patterns.values())
        # The confirmations: what is published from now on reaches it.
        for _ in range(len(channels) + len(patterns)):
            self.assertIsNone(listener.get_message(timeout=5))
        return listener

    def next_message(self, listener):
        return wait_for(lambda: listener.get_message(timeout=0.1), "message")


class Listeners(ThreeNodes):
    def test_every_node_publishes_to_subscribers_of_every_node(self):
        listeners = [self.subscriber(node, "news") for node in self.cluster.nodes]
        for i, node in enumerate(self.cluster.nodes):
            self.assertEqual(self.client(node).publish("news", f"from {i}"), 1)
            for listener in listeners:
                self.assertEqual(self.next_message(listener)["data"], f"from {i}")

    def test_a_transaction_publishes_where_it_is_applied(self):
        listeners = [self.subscriber(node, "done") for node in self.cluster.nodes]
        with self.client(self.leader).pipeline() as pipe:
            pipe.set("k", "v")
            pipe.publish("done", "k")
            self.assertEqual(pipe.execute(), [True, 1])
        for listener in listeners:
            self.assertEqual(self.next_message(listener)["data"], "k")

    def test_a_follower_raises_keyspace_events_for_its_own_setting(self):
        follower = self.cluster.followers()[0]
        self.client(follower).config_set("notify-keyspace-events", "KEA")
        listener = self.subscriber(follower, p="__keyevent@0__:*")
        writer = self.client(self.leader)
        writer.set("event", "v", px=300)
        for event in ("set", "expire", "expired"):
            message = self.next_message(listener)
            self.assertEqual((message["channel"], message["data"]), (f"__keyevent@0__:{event}", "event"))
        self.client(follower).config_set("notify-keyspace-events", "")

    def test_a_dead_leader_takes_only_its_own_subscribers_along(self):
        follower = self.cluster.followers()[0]
        listener = self.subscriber(follower, "c")
        self.leader.kill()
        leader = self.cluster.wait_leader()
        self.client(leader).publish("c", "after")
        self.assertEqual(self.next_message(listener)["data"], "after")
        self.leader.start()

    def test_monitor(self):
        with self.client(self.leader).monitor() as watcher:
            self.client(self.leader).set("watched", "v")
            while (seen := watcher.next_command())["command"] != "SET watched v":
                pass
        self.assertEqual(seen["db"], 0)

    def test_users_are_the_same_on_all_nodes_and_survive_a_leader(self):
        admin = self.client(self.cluster.followers()[0])
        self.assertTrue(admin.acl_setuser("app", enabled=True, passwords=["+secret"], keys=["app:*"],
                                          commands=["+@read", "+set"]))
        self.leader.kill()
        leader = self.cluster.wait_leader()
        # Committed, and applied there as soon as it serves anything; a login looks at what is applied.
        wait_for(lambda: "app" in self.client(leader).acl_users(), "user on the new leader")
        app = self.client(leader, username="app", password="secret")
        self.assertTrue(app.set("app:1", "v"))
        self.assertRaises(redis.exceptions.NoPermissionError, app.delete, "app:1")
        self.assertRaises(redis.exceptions.NoPermissionError, app.get, "other")
        self.leader.start()
        self.leader.wait_ready()
        for node in self.cluster.nodes:
            wait_for(lambda: "app" in self.client(node).acl_users(), "user on all nodes")
            self.assertIn("~app:*", self.client(node).acl_getuser("app")["keys"])
        self.assertEqual(self.client(leader).acl_deluser("app"), 1)
        with self.assertRaises(redis.exceptions.RedisError):  # closed, then WRONGPASS
            app.get("app:1")
