// Named here and not where it is loaded: what a bundler makes of a CommonJS package has no names to a dynamic import.
export { request } from "undici";
