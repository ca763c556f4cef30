#!/usr/bin/env node
// Before castle's code is loaded: where a fault is to be shown, it is shown as a place in src.
if (process.env.CASTLE_DEBUG !== undefined) process.setSourceMapsEnabled(true);

const { main } = await import("../dist/main.js");

await main(process);
