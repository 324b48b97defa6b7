"""asyncua's client as a measure: it subscribes to the counters of a peer and counts what arrives.

usage: client.py <endpoint URL> <counters>   prints "UP" when subscribed, then "OK <values so far>" for each line
"""

import asyncio
import sys

from asyncua import Client, ua

URI = "urn:lineside:peer"
FIRST_COUNTER = 1000
PUBLISH_MS = 250
QUEUE = 30


class Counter:
    def __init__(self):
        self.values = 0

    def datachange_notification(self, node, value, data):
        self.values += 1


async def main():
    url, counters = sys.argv[1], int(sys.argv[2])
    async with Client(url) as client:
        index = await client.get_namespace_index(URI)
        counter = Counter()
        subscription = await client.create_subscription(PUBLISH_MS, counter)
        nodes = [client.get_node(ua.NodeId(FIRST_COUNTER + number, index)) for number in range(counters)]
        await subscription.subscribe_data_change(nodes, queuesize=QUEUE, sampling_interval=0)
        print("UP", flush=True)
        loop = asyncio.get_running_loop()
        while await loop.run_in_executor(None, sys.stdin.readline):
            print(f"OK {counter.values}", flush=True)


asyncio.run(main())
