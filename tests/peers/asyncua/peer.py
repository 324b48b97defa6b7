"""A foreign OPC UA server for the tests: asyncua on loopback, told what to do by lines on stdin.

usage: peer.py <options as JSON>   prints "UP <port>", then "OK ..." or "NO <why>" for each command
  set <name> <value> [status in hex] [source time in ms since 1970]
  bad <name> <status in hex>         a status without a value
  hold                               the next notification is not sent, but can be asked for again
  lose                               the next notification is gone for good
  transfer off                       TransferSubscriptions is refused from now on
  end sessions                       all sessions of clients are gone, unannounced; their subscriptions stay
  end subscriptions                  as well as their subscriptions
  sessions <n>                       at most so many sessions from now on
  clock <seconds>                    this server's clock differs so much from the true time
  counts                             OK <sessions> <subscriptions> <items> of all clients
Options and the log of rounds are those of `Options` in tests/src/peers.rs.
Stack and address space are asyncua's; these lines only start it, and put limits and faults into it.
"""

import asyncio
import json
import pathlib
import shutil
import socket
import sys
from datetime import datetime, timedelta, timezone

from asyncua import Server, ua
from asyncua.common.utils import ServiceError
from asyncua.crypto.truststore import TrustStore
from asyncua.crypto.permission_rules import User, UserRole
from asyncua.crypto.uacrypto import der_from_x509, load_certificate
from asyncua.crypto.validator import CertificateValidator, CertificateValidatorOptions
from asyncua.server.history_sql import HistorySQLite
from asyncua.server.internal_session import InternalSession
from asyncua.server.internal_subscription import InternalSubscription
from asyncua.server.monitored_item_service import MonitoredItemService

URI = "urn:lineside:peer"
APPLICATION = "urn:lineside:test-server"
T = ua.VariantType
P = ua.SecurityPolicyType
POLICIES = {
    "None": [P.NoSecurity],
    "Basic256Sha256": [P.Basic256Sha256_Sign, P.Basic256Sha256_SignAndEncrypt],
    "Aes128Sha256RsaOaep": [P.Aes128Sha256RsaOaep_Sign, P.Aes128Sha256RsaOaep_SignAndEncrypt],
    "Aes256Sha256RsaPss": [P.Aes256Sha256RsaPss_Sign, P.Aes256Sha256RsaPss_SignAndEncrypt],
}
TRUSTED = CertificateValidatorOptions.TRUSTED_VALIDATION | CertificateValidatorOptions.PEER_CLIENT
TOKENS = {
    "anonymous": ua.AnonymousIdentityToken,
    "name": ua.UserNameIdentityToken,
    "x509": ua.X509IdentityToken,
}
VARIABLES = {
    "Boolean": (True, T.Boolean),
    "SByte": (-128, T.SByte),
    "Byte": (255, T.Byte),
    "Int16": (-32768, T.Int16),
    "UInt16": (65535, T.UInt16),
    "Int32": (-2147483648, T.Int32),
    "UInt32": (4294967295, T.UInt32),
    "Int64": (-9223372036854775808, T.Int64),
    "UInt64": (18446744073709551615, T.UInt64),
    "Float": (1.5, T.Float),
    "Double": (-2.5e300, T.Double),
    "String": ("Füller", T.String),
    "DateTime": (datetime(2024, 2, 29, 12, 0, 0, 250000), T.DateTime),
    "LocalizedText": (ua.LocalizedText("läuft", "de"), T.LocalizedText),
    "QualifiedName": (ua.QualifiedName("State", 2), T.QualifiedName),
    "NodeId": (ua.NodeId(85, 0), T.NodeId),
    "ByteString": (b"\x00\xff", T.ByteString),
    "Array": ([1.5, -2.0], T.Double),
    "counter": (0, T.UInt32),
    "other": (0, T.UInt32),
}
FIRST_COUNTER = 1000
READERS = {T.UInt32: int, T.Double: float}


class Users:
    """The one user with a password, and the one with a certificate."""

    def __init__(self, name, password, certificate):
        self.name, self.password, self.certificate = name, password, certificate

    def get_user(self, iserver, username=None, password=None, certificate=None):
        if username is not None and (username, password) != (self.name, self.password):
            return None
        return User(role=UserRole.User)


class Peer:
    def __init__(self, options):
        self.options = options
        self.offset = timedelta()
        self.transfers = True

    def now(self):
        return datetime.now(timezone.utc) + self.offset

    async def start(self):
        options = self.options
        port = options["port"] or free_port()
        user = await load_certificate(options["user_certificate"]) if options["user_certificate"] else None
        users = Users(options["user"], options["password"], user and der_from_x509(user))
        server = self.server = Server(user_manager=users)
        await server.init()
        await server.set_application_uri(APPLICATION)
        server.set_endpoint(f"opc.tcp://127.0.0.1:{port}/")
        server.set_security_policy([kind for name in options["policies"] for kind in POLICIES[name]])
        server.set_identity_tokens([TOKENS[name] for name in options["tokens"]])
        if options["certificate"]:
            await server.load_certificate(options["certificate"])
            await server.load_private_key(options["key"])
        if options["trusted"]:
            folder = pathlib.Path(options["folder"]) / "trusted"
            folder.mkdir(exist_ok=True)
            shutil.copy(options["trusted"], folder)
            store = TrustStore([folder], [])
            await store.load()
            server.set_certificate_validator(CertificateValidator(TRUSTED, store))
        if user:
            self.accept_only(users.certificate)
        await self.limit(options["limits"])
        self.count_by_hand()
        for number in range(options["other_namespaces"]):
            await server.register_namespace(f"urn:lineside:other:{number}")
        self.index = await server.register_namespace(URI)
        for name, (value, kind) in VARIABLES.items():
            await server.nodes.objects.add_variable(ua.NodeId(name, self.index), name, value, kind)
        self.round = await self.add_counters()
        await server.start()
        if options["counters"]:
            self.counting = asyncio.create_task(self.count())
        return port

    def accept_only(self, certificate):
        """asyncua verifies the signature of an X.509 user; whom to accept is the server's business."""
        verify = self.server.iserver.verify_x509_token

        def checked(session, token, signature):
            if token.CertificateData != certificate:
                raise ServiceError(ua.StatusCodes.BadIdentityTokenRejected)
            return verify(session, token, signature)

        self.server.iserver.verify_x509_token = checked

    async def add_counters(self):
        """Returns the number of the round before the next one: a server that starts again goes on counting."""
        options = self.options
        rounds = pathlib.Path(options["rounds"]) if options["rounds"] else None
        before = sum(1 for _ in rounds.open()) if rounds and rounds.exists() else 0
        self.log = rounds.open("a", buffering=1) if rounds else None
        if options["history"]:
            storage = HistorySQLite(options["history"])
            self.server.iserver.history_manager.set_storage(storage)
            await storage.init()
        self.counters = []
        for number in range(options["counters"]):
            # asyncua keeps no history of nodes with names.
            node = ua.NodeId(FIRST_COUNTER + number, self.index)
            added = await self.server.nodes.objects.add_variable(node, f"c{number}", before, T.UInt32)
            if options["history"]:
                await self.server.iserver.enable_history_data_change(added, None, 0)
            self.counters.append(node)
        return before

    async def count(self):
        """Each round gives every counter the next number, at one source time, which is logged."""
        loop = asyncio.get_running_loop()
        period = self.options["interval_ms"] / 1000
        due = loop.time()
        while True:
            due = max(due + period, loop.time())
            await asyncio.sleep(due - loop.time())
            self.round += 1
            now = self.now()
            if self.log:
                micros = (now - datetime(1970, 1, 1, tzinfo=timezone.utc)) // timedelta(microseconds=1)
                self.log.write(f"{self.round} {micros}\n")
            data = ua.DataValue(ua.Variant(self.round, T.UInt32), ua.StatusCode(), now, now)
            for node in self.counters:
                await self.server.write_attribute_value(node, data)

    async def limit(self, limits):
        """asyncua declares limits and enforces none; these are declared and enforced."""
        nodes = ua.ObjectIds
        operation = nodes.Server_ServerCapabilities_OperationLimits_MaxMonitoredItemsPerCall
        read = nodes.Server_ServerCapabilities_OperationLimits_MaxNodesPerRead
        per_call, per_subscription = limits.get("items_per_call", 0), limits.get("items_per_subscription", 0)
        per_read = limits.get("nodes_per_read", 0)
        for node, value in [(operation, per_call), (read, per_read)]:
            if value:
                await self.server.get_node(ua.NodeId(node)).write_value(ua.Variant(value, T.UInt32))
        create, read = MonitoredItemService.create_monitored_items, InternalSession.read

        async def create_limited(service, params):
            asked = len(params.ItemsToCreate)
            if per_call and asked > per_call:
                raise ServiceError(ua.StatusCodes.BadTooManyOperations)
            free = per_subscription - len(service._monitored_items) if per_subscription else asked
            kept = ua.CreateMonitoredItemsParameters(
                params.SubscriptionId, params.TimestampsToReturn, params.ItemsToCreate[: max(free, 0)]
            )
            refused = ua.MonitoredItemCreateResult(StatusCode=ua.StatusCode(ua.StatusCodes.BadTooManyMonitoredItems))
            results = await create(service, kept)
            return results + [refused] * (asked - len(results))

        async def read_limited(session, params):
            if session.external and per_read and len(params.NodesToRead) > per_read:
                raise ServiceError(ua.StatusCodes.BadTooManyOperations)
            return await read(session, params)

        MonitoredItemService.create_monitored_items = create_limited
        InternalSession.read = read_limited

    def count_by_hand(self):
        """What a client can be refused, and the server's clock in what it publishes."""
        transfer, pop = InternalSession.transfer_subscriptions, InternalSubscription._pop_publish_result

        async def transferred(session, params, callback):
            if not self.transfers:
                raise ServiceError(ua.StatusCodes.BadServiceUnsupported)
            return await transfer(session, params, callback)

        def popped(subscription):
            result = pop(subscription)
            result.NotificationMessage.PublishTime = self.now()
            return result

        InternalSession.transfer_subscriptions = transferred
        InternalSubscription._pop_publish_result = popped

    def subscriptions(self):
        every = self.server.iserver.subscription_service.subscriptions.values()
        return [one for one in every if one.pub_request_callback is not None]

    def sessions(self):
        return [one for one in self.server.iserver._external_sessions.values() if one.is_activated()]

    async def write(self, name, value, status=0, ms=None):
        source = datetime.fromtimestamp(int(ms) / 1000, timezone.utc) if ms else self.now()
        data = ua.DataValue(value, ua.StatusCode(status), source, self.now())
        await self.server.write_attribute_value(ua.NodeId(name, self.index), data)

    def withhold(self, forget):
        """The next notification with data of each subscription is numbered and kept, but not sent."""
        for subscription in self.subscriptions():
            send = subscription.pub_result_callback

            async def callback(result, request, subscription=subscription, send=send):
                if not result.NotificationMessage.NotificationData:
                    return await send(result, request)
                subscription.pub_result_callback = send
                send.__self__._publish_requests.appendleft(request)
                if forget:
                    subscription._not_acknowledged_results.pop(result.NotificationMessage.SequenceNumber)
                print("WITHHELD", flush=True)

            subscription.pub_result_callback = callback

    async def obey(self, words):
        match words:
            case ["set", name, value, *more]:
                kind = VARIABLES[name][1]
                status = int(more[0], 16) if more else 0
                await self.write(name, ua.Variant(READERS[kind](value), kind), status, *more[1:])
            case ["bad", name, status]:
                await self.write(name, None, int(status, 16))
            case ["hold"]:
                self.withhold(forget=False)
            case ["lose"]:
                self.withhold(forget=True)
            case ["transfer", "off"]:
                self.transfers = False
            case ["end", what]:
                for session in self.sessions():
                    await session.close_session(what == "subscriptions")
            case ["sessions", most]:
                InternalSession.max_connections = int(most)
            case ["clock", seconds]:
                self.offset = timedelta(seconds=float(seconds))
            case ["counts"]:
                items = sum(len(one.monitored_item_srv._monitored_items) for one in self.subscriptions())
                return f"OK {len(self.sessions())} {len(self.subscriptions())} {items}"
            case _:
                return "NO such command"
        return "OK"


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


async def main():
    peer = Peer(json.loads(sys.argv[1]))
    print(f"UP {await peer.start()}", flush=True)
    loop = asyncio.get_running_loop()
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        print(await peer.obey(line.split()), flush=True)
    await peer.server.stop()


asyncio.run(main())
