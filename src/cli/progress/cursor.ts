/** Terminals' word for: show the cursor again. */
export const SHOW_CURSOR = "\u001B[?25h";
