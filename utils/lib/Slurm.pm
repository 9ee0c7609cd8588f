package Slurm;

# What slurm.pl knows about Slurm. A scheduler object is a hash with
#   conf            name of the config file
#   task_variable   environment variable with the number of an array's task
#   done_directory  below q/, where the done files are
#   cancel          program that takes a job number
#   on_unknown      called with an error text for an undescribed option
# and the methods below.

use strict;
use warnings;
use CmdLine qw(fail);
use Command qw(installed run_command);
use JobScript qw(shell_quote);
use Report qw(describe_signal);

my %DEAD = map { $_ => 1 } qw(BOOT_FAIL CANCELLED DEADLINE NODE_FAIL OUT_OF_MEMORY
    PREEMPTED REVOKED TIMEOUT);

sub new {
    return bless {
        conf => 'slurm.conf',
        task_variable => 'SLURM_ARRAY_TASK_ID',
        done_directory => '',
        cancel => 'scancel',
        on_unknown => \&fail,
    }, shift;
}

# For a job, its range {start, end} or undef, and how many tasks may run at a time.
sub submit_options {
    my ($self, $job, $range, $most) = @_;
    my $log = shell_quote($job->{queue_log} =~ s/%/%%/gr);
    my $options = "--ntasks-per-node=1 --open-mode=append -e $log -o $log";
    return $options if !$range;
    $options .= " --array $range->{start}-$range->{end}";
    return defined $most ? "$options%$most" : $options;
}

sub job_numbers {
    my ($self, $output) = @_;
    return $output =~ /Submitted batch job (\d+)/g;
}

# True if the controller did not answer, so that nothing is known or done.
sub not_reached {
    my ($self, $status, $output) = @_;
    return $status != 0 && $output =~ /Unable to contact slurm controller
        |Socket\ timed\ out|Connection\ refused|connect\ failure|try\ again/xi;
}

# Returns {task => {kind, why, pending}}, the task being '' without an array, or
# (undef, error) when the scheduler does not answer. The kinds:
#   active  it runs or will;      ended   its script came to its end
#   dead    it was stopped;       silent  its host does not answer
# A task that is not there is unknown. "why" is the reason in words, if there is one.
sub states {
    my ($self, $job) = @_;
    my ($status, $output) = run_command('squeue', '-h', '-r', '-t', 'all',
        '-j', $job->{number}, '-o', '%K|%T|%r|%o');
    return (undef, $output) if $self->not_reached($status, $output);
    if ($status != 0 && $output !~ /Invalid job id/i) {
        return (undef, $output);
    }
    my %states;
    for my $row (split(/\n/, $output)) {
        my ($task, $state, $reason, $command) = split(/\|/, $row, 4);
        # a controller that lost its state gives a number to another job
        next if !defined $command || index($command, $job->{script}) < 0;
        $task = '' if !$job->{line}{job};
        $states{$task} = $self->judge($job, $task, $state, $reason);
    }
    return \%states if %states;
    return $self->from_accounting($job);
}

sub judge {
    my ($self, $job, $task, $state, $reason) = @_;
    return { kind => 'active', pending => $reason } if $state eq 'PENDING';
    return { kind => 'ended' } if $state eq 'COMPLETED';
    return { kind => 'active' } if $state ne 'FAILED' && !$DEAD{$state};
    my $end = $self->details($job, $task);
    return { kind => 'ended' } if $state eq 'FAILED' && !$end->{signal};
    return { kind => 'dead', why => $self->in_words($job, $end) };
}

sub from_accounting {
    my ($self, $job) = @_;
    my %states;
    for my $row (accounting($job->{number})) {
        my ($task) = $row->{JobID} =~ /_(\d+)$/;
        $task //= '';
        $states{$task} = $self->judge($job, $task, $row->{state}, '');
    }
    return \%states;
}

# The rows of sacct as hashes, none where there is no accounting.
sub accounting {
    my ($number) = @_;
    return if !installed('sacct');
    my @fields = qw(JobID State ExitCode Timelimit NodeList ReqMem);
    my ($status, $output) = run_command('sacct', '-n', '-X', '-P', '-j', $number,
        '-o', join(',', @fields));
    return if $status != 0;
    my @rows;
    for my $line (grep {/\|/} split(/\n/, $output)) {
        my %row;
        @row{@fields} = split(/\|/, $line, @fields);
        ($row{state}) = split(' ', $row{State});    # CANCELLED by 0
        push @rows, \%row;
    }
    return @rows;
}

# How a task ended: {state, signal, limit, nodes, memory, id}.
sub details {
    my ($self, $job, $task) = @_;
    my $name = $task eq '' ? $job->{number} : "$job->{number}_$task";
    my ($status, $output) = run_command('scontrol', '-o', 'show', 'job', $name);
    if ($status == 0) {
        my %field = $output =~ /(\w+)=(\S*)/g;
        my ($memory) = $output =~ /MinMemory(?:CPU|Node)=(\S+)/;
        return { state => $field{JobState}, limit => $field{TimeLimit},
            nodes => $field{NodeList}, memory => $memory, id => $field{JobId},
            signal => ($field{ExitCode} // '') =~ /:(\d+)/ ? $1 : 0 };
    }
    my ($row) = grep { $_->{JobID} eq $name } accounting($name);
    return { state => '', signal => 0, id => $job->{number} } if !$row;
    return { state => $row->{state}, limit => $row->{Timelimit}, id => $job->{number},
        nodes => $row->{NodeList}, memory => $row->{ReqMem},
        signal => $row->{ExitCode} =~ /:(\d+)/ ? $1 : 0 };
}

sub in_words {
    my ($self, $job, $end) = @_;
    my $state = $end->{state};
    my $memory = 'out of memory (limit ' . ($end->{memory} // 'unknown')
        . '); ask for more with --mem';
    return "time limit of $end->{limit} reached; ask for more with --time"
        if $state eq 'TIMEOUT';
    return $memory if $state eq 'OUT_OF_MEMORY' || told_of_memory($job, $end);
    return "node failure on $end->{nodes}" if $state eq 'NODE_FAIL';
    return 'pre-empted by another job' if $state eq 'PREEMPTED';
    return describe_signal($end->{signal}) if $state eq 'FAILED' && $end->{signal};
    return $DEAD{$state} ? lc($state) =~ tr/_/ /r : '';
}

# Where memory is watched without cgroups, only the queue's log says what happened.
sub told_of_memory {
    my ($job, $end) = @_;
    open(my $file, '<', $job->{queue_log}) or return 0;
    my @told = grep {
        /\b\Q$end->{id}\E\b.*(?:memory limit|out.of.memory|oom.kill)/i
    } <$file>;
    close($file);
    return scalar @told;
}

# Why a task that wrote its status failed, if the scheduler had a hand in it.
sub post_mortem {
    my ($self, $job, $task) = @_;
    my $end;
    for (1 .. 5) {    # the scheduler learns of the end a little later
        $end = $self->details($job, $task);
        last if $end->{state} !~ /^(?:RUNNING|COMPLETING)$/;
        select(undef, undef, undef, 1);
    }
    return $self->in_words($job, $end);
}

1;
