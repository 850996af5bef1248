"""The minimal Python gRPC server: a grpcio handler that returns constant bytes.

    python -m benchmarks.servers.bare PORT PROCESSES asyncio|threads REPLY

It answers Recognize with the bytes given by REPLY in hexadecimal.
"""

import asyncio
import os
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc

SERVICE, METHOD = "numeral.v1.Recognizer", "Recognize"
OPTIONS = [("grpc.so_reuseport", 1)]


def _handlers(answer: Any) -> grpc.GenericRpcHandler:
    return grpc.method_handlers_generic_handler(SERVICE, {METHOD: grpc.unary_unary_rpc_method_handler(answer)})


async def _asyncio(port: int, reply: bytes) -> None:
    async def answer(_request: bytes, _context: Any) -> bytes:
        return reply

    server = grpc.aio.server(options=OPTIONS)
    server.add_generic_rpc_handlers((_handlers(answer),))
    server.add_insecure_port(f"127.0.0.1:{port}")
    await server.start()
    await server.wait_for_termination()


def _threads(port: int, reply: bytes) -> None:
    server = grpc.server(ThreadPoolExecutor(8), options=OPTIONS)
    server.add_generic_rpc_handlers((_handlers(lambda _request, _context: reply),))
    server.add_insecure_port(f"127.0.0.1:{port}")
    server.start()
    server.wait_for_termination()


if __name__ == "__main__":
    number, processes, kind, constant = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3], bytes.fromhex(sys.argv[4])
    for _ in range(processes - 1):
        if os.fork() == 0:
            break
    if kind == "threads":
        _threads(number, constant)
    else:
        asyncio.run(_asyncio(number, constant))
