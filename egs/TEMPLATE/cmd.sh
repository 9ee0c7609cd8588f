# shellcheck shell=bash
# How jobs are run. Sourced by recipe.sh, which sets cmd_backend (--cmd-backend).
#
#   <cmd> [options] [JOB=1:N] <log> <command>...
#     --gpu N  --mem 4G  --num-threads N  --num-nodes N  --max-jobs-run N  --config FILE
#
# The options mean for each site what conf/{queue,slurm,pbs}.conf say.
case "${cmd_backend:-local}" in
    local) train_cmd=run.pl ;;       # this machine
    stdout) train_cmd=stdout.pl ;;   # this machine, logs on the terminal too
    sge) train_cmd="queue.pl --config conf/queue.conf" ;;
    slurm) train_cmd="slurm.pl --config conf/slurm.conf" ;;
    pbs) train_cmd="pbs.pl --config conf/pbs.conf" ;;
    *)
        echo "cmd.sh: cmd_backend must be local, stdout, sge, slurm or pbs;" \
            "found ${cmd_backend}" >&2
        exit 1
        ;;
esac
export train_cmd                # CPU jobs
export cuda_cmd=${train_cmd}    # trainings
export decode_cmd=${train_cmd}  # decoding
