#!/bin/sh
# Chromium without the pages of its own that it keeps ready for the list under its address field, which no test opens: they take
# a second of a processor for each profile. Of several --disable-features only the last one counts, and the driver gives one.
for arg; do
  shift
  case $arg in --disable-features=*) arg=$arg,WebUIOmniboxPopup,WebUIOmniboxAimPopup ;; esac
  set -- "$@" "$arg"
done
exec "${CHROMIUM:-/usr/bin/chromium}" "$@"
