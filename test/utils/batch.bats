#!/usr/bin/env bats
# queue.pl, slurm.pl and pbs.pl without a cluster: what they submit for which options
# and config files, and pbs.pl's reading of qstat. The submit command is a stand-in that
# notes its words and runs the job script at once; test/cluster has the real ones.
# shellcheck disable=SC2016  # dollars are for the job

bats_require_minimum_version 1.5.0

setup() {
    PATH=$(cd "$BATS_TEST_DIRNAME/../../utils" && pwd):$PATH
    cd "$BATS_TEST_TMPDIR" || exit 1
    export QUEUE_GRACE_SECONDS=0
    mkdir bin conf
    PATH=$PWD/bin:$PATH
    # words, one per line, then the tasks of M-N, M:N or none
    cat > bin/submit << 'END'
#!/bin/bash
variable=$1 answer=$2
shift 2
printf '%s\n' "$@" > words
tasks=$(printf '%s\n' "$@" | sed -n 's/^\([0-9]*\)[-:]\([1-9][0-9]*\)\(%.*\)\?$/\1 \2/p')
for task in $(seq ${tasks:-1}); do
    env ${tasks:+"$variable=$task"} bash "${@: -1}" > /dev/null 2>&1 &
done
echo "$answer"
END
    make_program sbatch 'exec submit SLURM_ARRAY_TASK_ID "Submitted batch job 12" "$@"'
    # whole words: -V may also be a part of the temporary folder's name
    make_program qsub 'case " $* " in
        *" -J "*) exec submit PBS_ARRAY_INDEX "12[].host" "$@" ;;
        *" -V "*) exec submit NONE "12.host" "$@" ;;
        *) exec submit SGE_TASK_ID "Your job 12 (\"x\") has been submitted" "$@" ;;
    esac'
    # never asked of a job that ends well
    make_program squeue 'echo "Invalid job id specified"; exit 1'
    make_program scancel 'echo "$@" > cancelled'
    make_program qdel 'echo "$@" > cancelled'
    chmod +x bin/*
}

make_program() {
    printf '#!/bin/bash\n%s\n' "$2" > "bin/$1"
    chmod +x "bin/$1"
}

# The words that were submitted, in one line, without the log and the script.
submitted() {
    grep -v "^$PWD" words | xargs
}

@test "the config of the repository serves where there is none" {
    slurm.pl --mem 4G --time 2-0 --num-threads 3 --gpu 2 --num_nodes 2 --name a x.log \
        true
    [ "$(submitted)" = "--export=PATH -p gpu --gres=gpu:2 -c 2 --mem-per-cpu 4G\
 --job-name a --nodes 2 --cpus-per-task 3 --time 2-0 --ntasks-per-node=1\
 --open-mode=append -e -o" ]
    slurm.pl --mem 0 x.log true
    [[ "$(submitted)" == "--export=PATH -p cpu --ntasks-per-node=1 "* ]]
}

@test "the examples in the config files can be used as they stand" {
    local own name
    own=$(cd "$BATS_TEST_DIRNAME/../../conf" && pwd)
    for name in slurm queue pbs; do
        sed 's/^# option/option/' "$own/$name.conf" > "conf/$name.conf"
        $name.pl --gpu 1 x.log true
        grep -Eq 'cpus-per-gpu=6|^smp$|ncpus=6' words
    done
    # as ESPnet's launcher asks for several nodes; Slurm refuses --cpus-per-task there
    slurm.pl --gpu 2 --num_threads 2 --num_nodes 3 x.log true
    [[ "$(submitted)" == "--export=PATH -p gpu --gpus-per-node=2 --cpus-per-gpu=6\
 --mem-per-gpu=24G --nodes 3 --ntasks-per-node=1 "* ]]
}

@test "conf/slurm.conf goes before it, --config before that" {
    echo 'command sbatch --here' > conf/slurm.conf
    echo 'command sbatch --there' > other.conf
    slurm.pl x.log true
    [[ "$(submitted)" == "--here "* ]]
    slurm.pl --config other.conf x.log true
    [[ "$(submitted)" == "--there "* ]]
    run slurm.pl --config no/such.conf x.log true
    [ "$status" -eq 1 ]
    [[ "$output" == *"no such config file: no/such.conf"* ]]
}

@test "exact values go before *, defaults count when nothing is given" {
    cat > conf/slurm.conf << 'END'
# a comment
command sbatch   # another

option gpu=* -p any -n $0:$0
option gpu=2 -p two --mem 60000M
option gpu=0
default gpu=0
default time=2-00:00:00
option time=* --time $0
END
    slurm.pl x.log true
    [[ "$(submitted)" == "--time 2-00:00:00 --ntasks"* ]]
    slurm.pl --gpu 2 --time 5 x.log true
    [[ "$(submitted)" == "-p two --mem 60000M --time 5 --ntasks"* ]]
    slurm.pl --gpu 3 x.log true
    [[ "$(submitted)" == "-p any -n 3:3 --time"* ]]
}

@test "a bad line, a missing command and an undescribed value are refused" {
    echo 'option mem' > conf/slurm.conf
    run slurm.pl x.log true
    [ "$status" -eq 1 ]
    [[ "$output" == *"unable to parse line 1 of conf/slurm.conf: 'option mem'"* ]]
    echo 'option gpu=0' > conf/slurm.conf
    run slurm.pl x.log true
    [[ "$output" == *"expected a line 'command ...' in conf/slurm.conf"* ]]
    echo 'command sbatch' >> conf/slurm.conf
    run slurm.pl --gpu 1 x.log true
    [ "$status" -eq 1 ]
    [[ "$output" == *"option gpu not described in conf/slurm.conf (or value '1' not"* ]]
    [ ! -e words ]
}

@test "options with one dash are passed, quoted" {
    slurm.pl -w 'n1 n2' -V JOB=1:2 --max-jobs-run 1 x.JOB.log true
    grep -qx 'n1 n2' words
    grep -qx 1-2%1 words
    queue.pl -l 'a=*' -pe smp 3 -sync y x.log true
    grep -qx 'a=\*' words
    [[ "$(submitted)" == *"-pe smp 3 "* ]]
    [[ "$(submitted)" != *sync* ]]
}

@test "the name of the array in that of the folder stays" {
    mkdir a_JOB_b
    cd a_JOB_b
    for name in slurm queue pbs; do
        "$name.pl" JOB=1:2 "$name.JOB.log" echo task JOB
        grep -qx "task 2" "$name.2.log"
    done
}

@test "queue.pl throttles by its config, or else by itself" {
    queue.pl --max-jobs-run 3 JOB=1:2 x.JOB.log true
    [[ "$(submitted)" == *"-tc 3 -o -t 1:2" ]]
    echo 'command qsub' > conf/queue.conf
    queue.pl -tc 3 JOB=1:2 x.JOB.log true
    [[ "$(submitted)" == "-o -t 1:2 -tc 3" ]]
}

@test "the queue's files are in q/ beside the log, or beside log/" {
    slurm.pl JOB=1:2 a/x.JOB.log true
    [ "$(ls a/q)" = "x.log"$'\n'"x.sh" ]
    slurm.pl JOB=1:2 b/log/JOB.log true
    [ "$(ls b/q)" = "log"$'\n'"log.sh" ]
}

@test "an old log and an old done file do not pass for new ones" {
    mkdir q
    echo '# Finished at noon with status 0' > x.log
    make_program sbatch 'echo "Submitted batch job 12"'
    run timeout 30 slurm.pl x.log true
    [ "$status" -eq 1 ]
    [[ "$output" == *"log is in x.log (unfinished job 12 no longer exists; see "* ]]
    [ ! -e cancelled ] # by now the number may be that of another job
}

@test "--pick submits again what it says, and skips what has ended well" {
    run slurm.pl JOB=1:5 x.JOB.log exit '$((JOB' '==' 2 '||' JOB '==' '4))'
    [ "$status" -eq 1 ]
    run slurm.pl --pick incomplete JOB=1:5 x.JOB.log true
    [ "$status" -eq 1 ]
    [ "${lines[1]}" = "slurm.pl: JOB=2: failed before, log is in x.2.log" ]
    slurm.pl --pick failed JOB=1:5 x.JOB.log echo again
    grep -qx 2-4 words
    [ "$(grep -lx again x.*.log | xargs)" = "x.2.log x.4.log" ]
    # all have ended well: nothing is submitted, here or on this machine
    rm words
    slurm.pl --pick failed JOB=1:5 x.JOB.log echo no
    run.pl --pick failed JOB=1:5 x.JOB.log echo no
    [ ! -e words ]
    run ! grep -lx no x.*.log
}

@test "a batch system goes on where this machine was stopped" {
    run run.pl JOB=1:2 x.JOB.log exit '$((JOB' '==' '2))'
    pbs.pl --pick failed JOB=1:2 x.JOB.log echo number JOB
    [[ "$(submitted)" != *-J* ]] # one task is no array there
    grep -qx 'number 2' x.2.log
    run ! grep -x 'number 1' x.1.log
}

@test "srun is told the processors of the job" {
    SLURM_CPUS_PER_TASK=3 slurm.pl x.log echo 'srun:$SRUN_CPUS_PER_TASK'
    grep -qx srun:3 x.log
    slurm.pl x.log echo 'srun:${SRUN_CPUS_PER_TASK-none}'
    grep -qx srun:none x.log
}

@test "two job numbers or a failed submission are errors" {
    make_program sbatch 'echo "Submitted batch job 12"; echo "Submitted batch job 13"'
    run slurm.pl x.log true
    [ "$status" -eq 1 ]
    [[ "$output" == *"expected one job number from: sbatch "*"found 2 and "* ]]
    make_program sbatch 'echo "sbatch: error: no"; exit 3'
    run slurm.pl x.log true
    [[ "$output" == *"found 0 and exit status 3; output: sbatch: error: no"* ]]
}

@test "directories and commands may hold blanks and quotes" {
    mkdir "it's a \"dir\""
    cd "it's a \"dir\""
    mkdir -p conf
    slurm.pl 'l o g/x.log' printf '[%s]' "it's \"f\" g" '"$PWD"'
    grep -qFx "[it's \"f\" g][$PWD]" 'l o g/x.log'
}

@test "pbs.pl submits one job or an array of two and more" {
    pbs.pl --mem 4gb --gpu 1 -q batch x.log echo one
    [ "$(submitted)" = "-V -v PATH -S /bin/bash -l ngpus=1 -l mem=4gb -q batch -j oe\
 -o" ]
    grep -qx one x.log
    pbs.pl --max-jobs-run 2 JOB=1:3 x.JOB.log echo number JOB
    [[ "$(submitted)" == *"-j oe -o -J 1-3%2" ]]
    grep -qx 'number 3' x.3.log
    pbs.pl JOB=3:3 y.JOB.log echo number JOB
    grep -qx 'number 3' y.3.log
    run pbs.pl JOB=1:2 x.JOB.log exit '$((JOB==2))'
    [ "$status" -eq 1 ]
    [ "${lines[1]}" = "pbs.pl: JOB=2: status 1, log is in x.2.log" ]
}

# The end of a job as qstat -xf shows it: $1 the state, $2 more fields.
pbs_tells() {
    make_program qsub 'echo 12.host'
    make_program qstat "printf 'Job Id: 12.host\n    job_state = $1\n$2'"
}

@test "pbs.pl knows why a job ended" {
    pbs_tells F '    Exit_status = -29\n'
    run timeout 30 pbs.pl x.log true
    [ "$status" -eq 1 ]
    [[ "$output" == *"log is in x.log (time limit reached; ask for more with --time)" ]]
}

@test "pbs.pl tells signals from jobs that never began" {
    pbs_tells F '    Exit_status = 271\n'
    run timeout 30 pbs.pl x.log true
    [[ "$output" == *"log is in x.log (killed by signal 15 (TERM))" ]]
    pbs_tells F '    comment = cannot run\n'
    run timeout 30 pbs.pl x.log true
    [[ "$output" == *"log is in x.log (ended before it began: cannot run)" ]]
}

@test "pbs.pl takes an unknown job for lost" {
    make_program qsub 'echo 12.host'
    make_program qstat 'echo "qstat: Unknown Job Id 12.host" >&2; exit 153'
    run timeout 30 pbs.pl x.log true
    [ "$status" -eq 1 ]
    [[ "$output" == *"(unfinished job 12.host no longer exists; see also "* ]]
}

@test "slurm.pl asks sacct about a job that squeue has forgotten" {
    make_program sbatch 'echo "Submitted batch job 12"'
    make_program scontrol 'echo "Invalid job id specified"; exit 1'
    make_program sacct 'echo "12_1|OUT_OF_MEMORY|0:125|01:00:00|n1|4G"
        echo "12_2|CANCELLED by 0|0:15|01:00:00|n2|4G"
        echo "12_3|NODE_FAIL|0:0|01:00:00|n3|4G"'
    run timeout 30 slurm.pl JOB=1:3 x.JOB.log true
    [ "$status" -eq 1 ]
    [[ "${lines[1]}" == *"JOB=1: out of memory (limit 4G); ask for more with"* ]]
    [[ "${lines[2]}" == *"JOB=2: cancelled, log is in x.2.log" ]]
    [[ "${lines[3]}" == *"JOB=3: node failure on n3, log is in x.3.log" ]]
}
