/** A program of its own for a test that kills it: starts a time-skipping server and prints its address. */
import { quietRuntime } from './runtime.js';
import { timeSkipping } from './temporal.js';

quietRuntime();
const environment = await timeSkipping();
console.log(environment.address);
setInterval(() => undefined, 1000);
