package Pbs;

# What pbs.pl knows about OpenPBS and PBS Professional (not Torque); Slurm.pm tells
# what each method must do.

use strict;
use warnings;
use CmdLine qw(fail);
use Command qw(run_command);
use JobScript qw(shell_quote);
use Report qw(describe_signal);

# Exit_status of jobs that PBS itself ended
my %KILLED = (
    -26 => 'out of memory (vmem); ask for more with --mem',
    -27 => 'out of memory; ask for more with --mem',
    -28 => 'limit of processor time reached',
    -29 => 'time limit reached; ask for more with --time',
);

sub new {
    return bless {
        conf => 'pbs.conf',
        task_variable => 'PBS_ARRAY_INDEX',
        done_directory => '/sync',
        cancel => 'qdel',
        on_unknown => \&fail,
    }, shift;
}

# An array has two tasks or more; one task takes its number from the job script.
sub submit_options {
    my ($self, $job, $range, $most) = @_;
    my $options = '-j oe -o ' . shell_quote($job->{queue_log});
    return $options if !$range || $range->{start} == $range->{end};
    $options .= " -J $range->{start}-$range->{end}";
    return defined $most ? "$options%$most" : $options;
}

sub job_numbers {
    my ($self, $output) = @_;
    return $output =~ /^(\d+(?:\[\])?(?:\.\S+)?)$/mg;
}

sub not_reached {
    my ($self, $status, $output) = @_;
    return $status != 0
        && $output =~ /cannot connect to server|Connection refused/i;
}

# -x also shows jobs that have ended, where the server keeps them.
sub states {
    my ($self, $job) = @_;
    my @which = $job->{number} =~ /\[\]/ ? ('-t', $job->{number}) : $job->{number};
    my ($status, $output) = run_command('qstat', '-x', '-f', @which);
    ($status, $output) = run_command('qstat', '-f', @which)
        if $output =~ /not configured to maintain job history/;
    return {} if $status != 0 && $output =~ /Unknown Job/i;
    return (undef, $output) if $status != 0;
    my %states;
    for my $block (split(/^(?=Job Id:)/m, $output)) {
        next if $block !~ /^Job Id: \d+(?:\[(\d*)\])?/;
        my $task = $1;
        next if defined $task && $task eq '';    # the array itself
        $task //= $job->{line}{job} ? $job->{line}{job}{start} : '';
        $states{$task} = judge($block);
    }
    return \%states;
}

sub judge {
    my ($block) = @_;
    my %field = $block =~ /^\s+(\w+) = (.*)$/mg;
    my $state = $field{job_state} // '';
    my $comment = $field{comment} // 'no comment';
    return { kind => 'active', pending => $comment } if $state =~ /^[QHWT]$/;
    return { kind => 'active' } if $state !~ /^[FX]$/;
    my $status = $field{Exit_status};
    return { kind => 'dead', why => "ended before it began: $comment" }
        if !defined $status;
    my $why = in_words($status);
    return { kind => $why eq '' ? 'ended' : 'dead', why => $why };
}

# Above 256 it is a signal.
sub in_words {
    my ($status) = @_;
    return '' if $status >= 0 && $status <= 256;
    return describe_signal($status - 256) if $status > 256;
    return $KILLED{$status} // "ended by PBS with Exit_status $status";
}

sub post_mortem {
    my ($self, $job, $task) = @_;
    my ($states) = $self->states($job);
    return ($states && $states->{$task} || {})->{why} // '';
}

1;
