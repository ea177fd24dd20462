#!/usr/bin/env bash
# Runs the filter as a step of a Slurm job, eight tasks on two nodes, sending rows.ndjson to the Klaviyo at $URL, and prints the
# outcome. The cluster is its own: slurmctld, two slurmd and munged on 127.0.0.1, started by hand as root, without cgroups. Writes into
# the working directory; of the cluster nothing is left.
# slurm.txtar has the commands and their outcome: go test . -run TestMany/slurm -long -v, as root
set -euo pipefail
. "${0%/*}/told.sh"
[ "$(id -u)" = 0 ] || { echo "slurm.sh: slurmd must be started as root" >&2; exit 1; }
directory=$(env -u TMPDIR mktemp -d)
daemons=()
leave() {
  [ ${#daemons[@]} = 0 ] || kill "${daemons[@]}" 2>/dev/null || true
  wait
  rm -rf "$directory"
}
trap leave EXIT
trap 'exit 1' INT TERM

chmod 755 "$directory" # munged refuses a socket in a directory that others can't enter
mkdir "$directory"/{state,one,two}
chmod 700 "$directory/state"
dd if=/dev/urandom of="$directory/munge.key" bs=1024 count=1 status=none
chmod 400 "$directory/munge.key"
munged --foreground --force --key-file="$directory/munge.key" --socket="$directory/munge" --pid-file="$directory/munge.pid" \
  --log-file="$directory/munge.log" --seed-file="$directory/munge.seed" >"$directory/munge.out" 2>&1 &
daemons+=($!)
base=$((20000 + RANDOM % 12000))
cat >"$directory/slurm.conf" <<END
ClusterName=many
SlurmctldHost=$(hostname -s)(127.0.0.1)
SlurmctldPort=$base
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket=$directory/munge
CredType=cred/munge
MpiDefault=none
StateSaveLocation=$directory/state
SlurmdSpoolDir=$directory/%n
SlurmctldPidFile=$directory/slurmctld.pid
SlurmdPidFile=$directory/%n.pid
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SchedulerParameters=batch_sched_delay=0,sched_interval=1
ReturnToService=2
SlurmdParameters=config_overrides
NodeName=one NodeHostname=$(hostname -s) NodeAddr=127.0.0.1 Port=$((base + 1)) CPUs=4
NodeName=two NodeHostname=$(hostname -s) NodeAddr=127.0.0.1 Port=$((base + 2)) CPUs=4
PartitionName=all Nodes=one,two Default=YES State=UP
END
export SLURM_CONF=$directory/slurm.conf
slurmctld -D -i >"$directory/slurmctld.log" 2>&1 &
daemons+=($!)
for node in one two; do
  slurmd -D -N "$node" >"$directory/$node.log" 2>&1 &
  daemons+=($!)
done
tries=0
until [ "$(sinfo -h -t idle -o %D 2>/dev/null)" = 2 ]; do
  if [ $((tries += 1)) -gt 300 ] || ! kill -0 "${daemons[@]}" 2>/dev/null; then
    tail -n 20 "$directory"/*.log "$directory"/munge.out >&2
    exit 1
  fi
  sleep 0.1
done

. ./recipe
told Slurm part-*.ndjson
sort nodes | uniq -c | awk '{ print "tasks on " $2 ": " $1 }'
. ./again
told Slurm part-*.ndjson

echo '== array'
export REAL HERE=$PWD/task
REAL=$(command -v klaviyo-export)
for task in 0 1 2 3 4 5 6 7; do
  mkdir "task$task"
  for copy in a b; do sed "s/@/-$copy$task@/" "$REPO/testdata/guide/rows.ndjson"; done >"part-$task"
  : >"task$task/fates"
done
echo 'KILL 20' >task1/fates
sed "s,/opt/klaviyo,$REPO/testdata/guide,g; s,sh 5 300,sh 5 0,; /--mem/d" "$REPO/testdata/guide/array.sbatch" >array.sbatch
PATH=$REPO/testdata/many/fated:$PATH sbatch --quiet --wait --output log-%a array.sbatch || tail log-*
told Newsletter results-*
paste -sd ' ' task1/met
tail -q -n 1 final-* | jq -s 'map(.rows.applied) | add'
