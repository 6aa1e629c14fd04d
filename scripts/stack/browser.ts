import { installDebian } from "./debian.ts";

/** Where Debian's package `chromium` puts it; elsewhere, BURSAR_CHROMIUM says. */
export const chromiumPath = process.env.BURSAR_CHROMIUM ?? "/usr/bin/chromium";

/** Installs Chromium from Debian's packages when it is missing and we may; else says what to install. */
export const installBrowser = () => installDebian("chromium", chromiumPath, "BURSAR_CHROMIUM");
