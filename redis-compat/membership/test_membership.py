"""A cluster of real processes grows, shrinks, moves and replaces its nodes under load; nothing acknowledged is lost, and
nothing is executed twice."""

import os
import shutil
import signal
import unittest

from cluster import Growing, free_ports, wait_for
from recorder import Recording

LONG = bool(os.environ.get("REDRAFT_LONG"))


def role(node):
    with node.connect(timeout=2) as connection:
        return connection.info("raft")["raft_role"]


class Membership(unittest.TestCase):
    def test_one_three_five_three_under_load(self):
        """1 -> 3 -> 5 -> 3, the leader among those that leave, and then as many members as can be are new ones."""
        with Growing(1, ["--snapshot-log-entries", "300", "--snapshot-tail-entries", "50"]) as cluster:
            with Recording(cluster, clients=4, seed=5) as recording:
                ports = recording.clients[0].ports  # one list for all clients

                def meet_load():
                    ports[:] = [node.port for node in cluster.nodes]
                    recording.grow()

                meet_load()
                for _ in range(2):
                    cluster.join()
                    meet_load()
                self.assertEqual(len(cluster.listed()), 3)
                cluster.join(through=cluster.followers()[0])
                cluster.join()
                meet_load()
                self.assertIn("Installed the snapshot", cluster.nodes[-1].log.read_text())
                self.assertEqual([fields["role"] for fields in cluster.listed().values()], ["voter"] * 5)
                # The founder, wherever it leads or follows, and whoever leads then; the second by a follower's word.
                cluster.forget(cluster.nodes[0])
                meet_load()
                cluster.forget(cluster.wait_leader(), through=cluster.followers()[0])
                meet_load()
                self.assertEqual(len(cluster.listed()), 3)
                cluster.wait_leader().kill()  # three that are three: one may die
                recording.grow()
                cluster.start()
            self.assertEqual(recording.check(), [])
            cluster.wait_equal()
            for node in cluster.left:
                wait_for(lambda node=node: role(node) == "removed", "removed nodes that know it")

    def test_two_join_at_once_and_leave_at_once(self):
        """Pitfall D10: two joins at once; several changes at once are one joint change (paper 6)."""
        with Growing(1) as cluster:
            with cluster.connect() as connection:
                connection.ask("SET", "k", "v")
            first = cluster.nodes[0]
            nodes = [cluster.new_node("--join", f"127.0.0.1:{first.port}") for _ in range(2)]
            cluster.nodes += nodes
            for node in nodes:
                cluster.wait_role(node, "voter")
            self.assertEqual(sorted(fields["id"] for fields in cluster.listed().values()), ["1", "2", "3"])
            cluster.wait_equal()
            cluster.forget(*nodes)
            with first.connect() as connection:
                self.assertEqual(connection.ask("GET", "k"), b"v")
                self.assertEqual(len(cluster.listed()), 1)

    def test_meet_and_what_is_refused(self):
        with Growing(1) as cluster, Growing(1) as other:
            member = cluster.nodes[0]
            node = cluster.new_node("--join", "wait")
            node.wait_ready()
            self.assertEqual(role(node), "joining")
            with member.connect(timeout=20) as connection:
                self.assertEqual(connection.ask("CLUSTER", "MEET", "127.0.0.1", node.port), b"OK")
                cluster.nodes.append(node)
                cluster.wait_role(node, "voter")
                self.assertEqual(connection.ask("CLUSTER", "MEET", "127.0.0.1", node.port), b"OK")  # is one already
                # Pitfall D10: a node of another cluster.
                reply = connection.call("CLUSTER", "MEET", "127.0.0.1", other.nodes[0].port)
                self.assertIn(b"belongs to cluster", reply.value)
                self.assertIn(b"Unknown node", connection.call("CLUSTER", "FORGET", "77").value)
                # Of two voters none may go while the other does not answer; a removal by force waits for it.
                node.kill()
            wait_for(lambda: role(member) != "leader", "a leader that knows it is alone")
            node.start()
            self.assertEqual(len(cluster.listed()), 2)
            third = cluster.join()
            third.kill()
            wait_for(lambda: cluster.listed()[third.port]["link"] == "down", "a leader that knows it")
            with cluster.connect(timeout=20) as connection:
                # Three voters, one of them dead: without another one there would be one of two.
                alive = cluster.id_of(cluster.nodes[0])
                wait_for(lambda: b"no majority" in connection.call("CLUSTER", "FORGET", alive).value, "refusal")
                self.assertEqual(connection.ask("CLUSTER", "FORGET", cluster.id_of(third)), b"OK")
            cluster.nodes.remove(third)
            # Who was away when it was removed hears of it from whoever it dials (pitfall D4).
            third.start()
            cluster.left.append(third)
            wait_for(lambda: role(third) == "removed", "a removed node that knows it")
            with third.connect() as connection:
                self.assertIn(b"removed from the cluster", connection.call("GET", "k").value)
            third.stop()
            third.start()  # and again after every start
            wait_for(lambda: role(third) == "removed", "a removed node that knows it")

    def test_demote_promote_and_roles_shown(self):
        with Growing(1) as cluster:
            cluster.join(), cluster.join()
            follower = cluster.followers()[0]
            with cluster.connect(timeout=20) as connection:
                self.assertEqual(connection.ask("CLUSTER", "DEMOTE", cluster.id_of(follower)), b"OK")
                self.assertEqual(cluster.listed()[follower.port]["role"], "learner")
                name = connection.ask("CLUSTER", "SHARDS")[0][3]
                self.assertEqual(len(name), 3, "a learner is a replica to clients")
                self.assertEqual(connection.ask("CLUSTER", "PROMOTE", cluster.id_of(follower)), b"OK")
            self.assertEqual(cluster.listed()[follower.port]["role"], "voter")
            # A leader demotes itself: another one leads.
            leader = cluster.wait_leader()
            with leader.connect(timeout=20) as connection:
                self.assertEqual(connection.ask("CLUSTER", "DEMOTE", cluster.id_of(leader)), b"OK")
            wait_for(lambda: cluster.wait_leader() is not leader, "another leader")
            self.assertEqual(cluster.listed()[leader.port]["role"], "learner")

    def test_a_member_moves_to_another_address(self):
        with Growing(1) as cluster:
            cluster.join(), cluster.join()
            with Recording(cluster, clients=2) as recording:
                recording.grow(50)
                mover = cluster.followers()[0]
                before = cluster.id_of(mover)
                mover.stop()
                port = free_ports(1)[0]
                mover.command[mover.command.index("--port") + 1] = str(port)
                mover.port = port
                mover.start()
                wait_for(lambda: port in cluster.listed(), "the new address in the configuration")
                self.assertEqual((cluster.listed()[port]["id"], len(cluster.listed())), (before, 3))
                recording.grow(50)
                # And it is needed again: the other follower dies.
                next(node for node in cluster.followers() if node is not mover).kill()
                recording.grow(50)
            self.assertEqual(recording.check(), [])

    def test_an_emptied_directory_joins_as_a_new_member(self):
        """Storage-faults row 16: it comes back under a new id, and the old member goes when it is promoted."""
        with Growing(3) as cluster:
            with Recording(cluster, clients=2) as recording:
                recording.grow(50)
                victim = cluster.followers()[0]
                victim.kill()
                shutil.rmtree(victim.directory)
                victim.directory.mkdir()
                victim.start()

                def replaced():
                    members = cluster.listed()
                    return len(members) == 3 and members[victim.port]["id"] == "4"
                wait_for(replaced, "the new member in the old one's place", 30)
                cluster.wait_role(victim, "voter")
                victim.stop()
                victim.start()  # its command line still says another id
                recording.grow(50)
            self.assertEqual(recording.check(), [])
            cluster.wait_equal()

    def test_join_while_the_leader_dies(self):
        with Growing(1) as cluster:
            cluster.join(), cluster.join()
            for _ in range(3 if LONG else 1):
                leader = cluster.wait_leader()
                node = cluster.new_node("--join", f"127.0.0.1:{leader.port}",)
                leader.signal(signal.SIGKILL)
                leader.kill()
                leader.start()
                cluster.nodes.append(node)
                cluster.wait_role(node, "voter")
                cluster.forget(node)
            cluster.wait_equal()


class Doors(unittest.TestCase):
    def test_a_browser_is_shown_the_door(self):
        """What comes after POST or Host: is not run (cross-protocol scripting)."""
        with Growing(1) as cluster:
            for lines in (b"POST / HTTP/1.1\r\nSET k v\r\n", b"hOsT: here\r\nSET k v\r\n"):
                with cluster.connect() as connection:
                    connection.send_raw(lines)
                    self.assertTrue(connection.at_end())
            with cluster.connect() as connection:
                self.assertEqual(connection.ask("EXISTS", "k"), 0)
            self.assertIn("SECURITY ATTACK", cluster.nodes[0].log_tail())

    def test_peers_without_a_secret_are_refused_also_later(self):
        """A directory that knows of peers asks for cluster-secret although no setting names any."""
        with Growing(1) as cluster:
            node = cluster.join()
            node.stop()
            words = node.command
            words[words.index("--bind") + 1] = "0.0.0.0"
            del words[words.index("--join"):words.index("--join") + 2]
            node.start()
            self.assertNotEqual(node.process.wait(20), 0)
            self.assertIn("cluster-secret must be set", node.log_tail())
            words[words.index("0.0.0.0")] = "127.0.0.1"
            node.start()
            cluster.wait_role(node, "voter")


if __name__ == "__main__":
    unittest.main()
