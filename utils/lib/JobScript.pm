package JobScript;

# The bash that runs a command: handed to a shell by run.pl and stdout.pl
# (local_script), or written to a file and given to a batch system (batch_script).
# In both, the shells outlive INT, TERM and HUP until the command has dealt with the
# signal, start nothing new after it, and hand USR1 and USR2 to the command, so that
# a command can save its work when a scheduler stops it.

use strict;
use warnings;
use CmdLine ();
use Exporter 'import';

our @EXPORT_OK = qw(batch_script local_script shell_quote);

my $GUARD = 'trap "exit 129" HUP; trap "exit 130" INT; trap "exit 143" TERM;'
    . ' trap : USR1 USR2';

# One word for bash, whatever the text.
sub shell_quote {
    my ($text) = @_;
    $text =~ s/'/'\\''/g;
    return "'$text'";
}

# Reads the log's name from $1; $tee sends the output to stdout and to the log.
sub local_script {
    my ($command, $tee) = @_;
    my $inner = "trap : HUP INT TERM USR1 USR2\n(\n$GUARD\n$command\n) </dev/null";
    return "$inner\n" if !$tee;
    return "$inner 2>&1 |" . <<'END';
( trap "" HUP INT TERM USR1 USR2; exec tee -a -- "$1" )
status=("${PIPESTATUS[@]}")
[ "${status[0]}" -ne 0 ] || exit "${status[1]}"
exit "${status[0]}"
END
}

# %job: program, submitted (the submit command), directory, line (CmdLine's result),
# task_variable (what the scheduler numbers tasks with), log (as given, with the name of
# the array in it), done (a whole path; the appearance of this file says that the task
# has ended; ".N" is added for task N), over (tasks that shall not run again).
sub batch_script {
    my (%job) = @_;
    my $line = $job{line};
    my $array = $line->{job};
    my $name = $array ? $array->{name} : '';
    my $task = $array ? "\${$job{task_variable}:-$array->{start}}" : '';
    my $head = join("\n",
        '#!/bin/bash',
        "# Written by $job{program}, submitted with:",
        "# $job{submitted}",
        'directory=' . shell_quote($job{directory}),
        "task=$task",
        @{ $job{over} }
        ? 'case $task in ' . join('|', @{ $job{over} }) . ') exit ;; esac'
        : (),
        'log=' . shell_quote($job{log}),
        'command=' . shell_quote($line->{command}),
        'done_file=' . shell_quote($job{done}) . ($array ? '.$task' : ''),
        'threads=' . shell_quote($line->{options}{num_threads} // 1),
        $array ? "log=\${log//$name/\$task}\ncommand=\${command//$name/\$task}" : (),
        '[[ $log == /* ]] || log=$directory/$log',
    );
    return "$head\n" . body();
}

sub body {
    return <<'END' =~ s/\@GUARD\@/$GUARD/r;

# Without a done file the scheduler says what became of the job: a job that it stopped
# may come back.
finish() {
    status=$1
    [ -z "$(tail -c 1 -- "$log")" ] || echo >> "$log"
    {
        echo "# Accounting: time=$(($(date +%s) - began)) threads=$threads"
        echo "# Finished at $(date) with status $status"
    } >> "$log"
    [ -n "$stopped" ] || : > "$done_file"
    [ "$status" -ne 137 ] || exit 100
    exit $((status != 0))
}

# To the command, which shares the process group of this script, if it is its own.
forward() {
    interrupted=yes
    [ "$(ps -o pgid= -p $$)" -eq $$ ] || return
    trap '' "$1"
    kill -s "$1" 0
    trap "forward $1" "$1"
}

began=$(date +%s)
stopped=
rm -f -- "$done_file"
trap 'finish $?' EXIT
cd "$directory" || exit 1
{
    echo "# Running on $(hostname)"
    echo "# Started at $(date)"
    set | grep '^SLURM_' | sed 's/^/# /'
    echo "$command" | sed 's/^/# /'
} >> "$log" || exit 1
trap 'stopped=TERM interrupted=yes' TERM
trap 'stopped=INT interrupted=yes' INT
trap 'forward USR1' USR1
trap 'forward USR2' USR2

[ ! -f ./path.sh ] || . ./path.sh >> "$log" 2>&1
set +eux +o pipefail
[ "${CUDA_VISIBLE_DEVICES:-}" != NoDevFiles ] || unset CUDA_VISIBLE_DEVICES
# since Slurm 22.05 srun gives its tasks one processor where it is not told
[ -z "${SLURM_CPUS_PER_TASK:-}" ] || export SRUN_CPUS_PER_TASK=$SLURM_CPUS_PER_TASK

( @GUARD@; eval "$command" ) < /dev/null >> "$log" 2>&1 &
# a signal ends wait early; then the next wait has the status
interrupted=yes
while [ -n "$interrupted" ]; do
    interrupted=
    wait $!
    status=$?
done
exit "$status"
END
}

1;
