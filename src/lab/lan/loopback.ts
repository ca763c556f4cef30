import type { Server } from "node:net";

/** Opens a server on 127.0.0.1. @returns its port @throws Error of the operating system if the port is taken */
export function listenOnLoopback(server: Server, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "127.0.0.1", () => {
      server.off("error", reject);
      const bound = server.address();
      if (bound === null || typeof bound === "string") reject(new Error("the server has no TCP port"));
      else resolve(bound.port);
    });
  });
}
