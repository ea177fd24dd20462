#!/bin/sh
# Prints the profiles of the first list at $URL, one a line, without their ids and carriage returns between values.
curl -s "$URL/simulator/lists/$(curl -s "$URL/simulator/lists" | jq -r '.[0].id')/profiles" | tr -d '\r' | sed -E 's/"id":"[^"]*",//; s/,$//; /^[][]?$/d'
