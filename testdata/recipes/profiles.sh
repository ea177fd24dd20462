#!/bin/sh
# Prints the profiles of the first list at $URL, one a line, without ids and carriage returns.
curl -s "$URL/simulator/lists/$(curl -s "$URL/simulator/lists" | jq -r '.[0].id')/profiles" | tr -d '\r' | sed -E 's/"id":"[^"]*",//; s/,$//; /^[][]?$/d'
