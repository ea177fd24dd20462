#!/bin/sh
# Sends the rows of one query to one list and keeps the results by date. A schedule starts it; its arguments are flags of add.
klaviyo-export add --list-name Newsletter --log-format json "$@" < rows.ndjson > "results-$(date +%F).ndjson"
