"""A foreign OPC UA server for the interop tests: asyncua on loopback, told what to do by lines on stdin.

usage: peer.py <port, 0 for any>   prints "UP <port>", then one "OK" for each command
  set <name> <value> [status in hex] [source time in ms since 1970]
  bad <name> <status in hex>         a status without a value
  hold                               the next notification is not sent, but can be asked for again
  lose                               the next notification is gone for good
Stack and address space are asyncua's; these lines only start it.
"""

import asyncio
import socket
import sys
from datetime import datetime, timezone

from asyncua import Server, ua

URI = "urn:lineside:interop"
T = ua.VariantType
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
READERS = {T.UInt32: int, T.Double: float}


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


async def start(port):
    server = Server()
    await server.init()
    server.set_endpoint(f"opc.tcp://127.0.0.1:{port}/")
    server.set_security_policy([ua.SecurityPolicyType.NoSecurity])
    index = await server.register_namespace(URI)
    for name, (value, kind) in VARIABLES.items():
        await server.nodes.objects.add_variable(ua.NodeId(name, index), name, value, kind)
    await server.start()
    return server, index


async def write(server, index, name, value, status=0, ms=None):
    source = datetime.fromtimestamp(int(ms) / 1000, timezone.utc) if ms else datetime.now(timezone.utc)
    data = ua.DataValue(value, ua.StatusCode(status), source, datetime.now(timezone.utc))
    await server.write_attribute_value(ua.NodeId(name, index), data)


def withhold(server, forget):
    """The next notification with data of each subscription is numbered and kept, but not sent."""
    for subscription in server.iserver.subscription_service.subscriptions.values():
        if subscription.pub_request_callback is None:
            continue
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


async def obey(server, index, words):
    match words:
        case ["set", name, value, *more]:
            kind = VARIABLES[name][1]
            status = int(more[0], 16) if more else 0
            await write(server, index, name, ua.Variant(READERS[kind](value), kind), status, *more[1:])
        case ["bad", name, status]:
            await write(server, index, name, None, int(status, 16))
        case ["hold"]:
            withhold(server, forget=False)
        case ["lose"]:
            withhold(server, forget=True)
        case _:
            raise ValueError(f"unknown command {words}")


async def main():
    port = int(sys.argv[1]) or free_port()
    server, index = await start(port)
    print(f"UP {port}", flush=True)
    loop = asyncio.get_running_loop()
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        await obey(server, index, line.split())
        print("OK", flush=True)
    await server.stop()


asyncio.run(main())
