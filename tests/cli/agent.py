"""An agent: the official SDK's client.

It reads a JSON array from standard input: each member is [tool, arguments], or an array of these, which are called
concurrently. It prints the results. It runs in a process of its own, with the SDK's packages.

    agent.py fsa
"""

import asyncio
import json
import os
import sys

from mcp import Client, StdioServerParameters


OWN = {name: value for name, value in os.environ.items() if name.startswith("FSA_")}


def shown(result):
    return {"error": result.is_error, "found": result.structured_content,
            "text": result.content[0].text}


async def call(client, words):
    if isinstance(words[0], str):
        return [shown(await client.call_tool(*words))]
    return [shown(result) for result in
            await asyncio.gather(*(client.call_tool(*each) for each in words))]


async def main(program, calls):
    async with Client(StdioServerParameters(command=program, args=["mcp"], env=OWN)) as client:
        tools = (await client.list_tools()).tools
        results = [result for words in calls for result in await call(client, words)]
    print(json.dumps({"tools": [tool.model_dump() for tool in tools], "results": results}))


asyncio.run(main(sys.argv[1], json.load(sys.stdin)))
