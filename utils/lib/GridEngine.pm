package GridEngine;

# What queue.pl knows about Grid Engine; Slurm.pm tells what each method must do.

use strict;
use warnings;
use CmdLine qw(complain);
use Command qw(run_command);
use File::Basename qw(basename);
use JobScript qw(shell_quote);

sub new {
    return bless {
        conf => 'queue.conf',
        task_variable => 'SGE_TASK_ID',
        done_directory => '/sync',
        cancel => 'qdel',
        on_unknown => sub { complain("Warning: $_[0]; ignoring it") },
    }, shift;
}

sub submit_options {
    my ($self, $job, $range, $most) = @_;
    my @options = ('-o', shell_quote($job->{queue_log}));
    push @options, '-t', "$range->{start}:$range->{end}" if $range;
    push @options, '-tc', $most if $range && defined $most;
    # Grid Engine takes no job name that begins with a digit
    my $name = basename($job->{script});
    push @options, '-N', "job-$name"
        if $name =~ /^\d/ && !defined $job->{line}{options}{name};
    return join(' ', @options);
}

sub job_numbers {
    my ($self, $output) = @_;
    return $output =~ /Your job(?:-array)? (\d+)\S* .*has been submitted/g;
}

sub not_reached {
    my ($self, $status, $output) = @_;
    return $status != 0
        && $output =~ /unable to (?:send message|contact).*qmaster|gdi request|commlib/;
}

# Grid Engine forgets a job at its end, so that none is "ended"; those in an error
# state would wait for ever.
sub states {
    my ($self, $job) = @_;
    my $user = getpwuid($<);
    my ($status, $output) = run_command(qw(qstat -f -ne -g d -u), $user);
    return (undef, $output) if $status != 0;
    my ($host, $silent, %states) = ('', 0);
    for my $row (split(/\n/, $output)) {
        if ($row =~ /^\S+\@(\S+)/) {
            $host = $1;
            $silent = ((split(' ', $row))[5] // '') =~ /u/;
        }
        elsif ($row =~ /PENDING JOBS/) {
            $silent = 0;
        }
        elsif ($row =~ /^\s*$job->{number}\s/) {
            my @columns = split(' ', $row);
            my $task = $job->{line}{job} ? $columns[8] // '' : '';
            $states{$task} = $self->judge($job, $columns[4], $silent ? $host : '');
        }
    }
    return \%states;
}

sub judge {
    my ($self, $job, $letters, $silent_host) = @_;
    return { kind => 'dead', why => $self->error_reason($job) } if $letters =~ /E/;
    return { kind => 'dead', why => 'deleted' } if $letters =~ /d/;
    return { kind => 'silent', why => "no sign of life from $silent_host" }
        if $silent_host ne '';
    return { kind => 'active' } if $letters !~ /q/;
    return { kind => 'active', pending => "see qstat -j $job->{number}" };
}

sub error_reason {
    my ($self, $job) = @_;
    my (undef, $output) = run_command('qstat', '-j', $job->{number});
    my ($why) = $output =~ /^error reason\s+\d+:\s+(.+)/m;
    return 'in an error state: ' . ($why // 'no reason known');
}

sub post_mortem {
    my ($self, $job, $task) = @_;
    my @which = ('-j', $job->{number}, $task eq '' ? () : ('-t', $task));
    for (1 .. 5) {    # accounting is a little late
        my ($status, $output) = run_command('qacct', @which);
        return in_words($output) if $status == 0;
        select(undef, undef, undef, 1);
    }
    return '';
}

# "failed" is 0, or a number and what Grid Engine has to say.
sub in_words {
    my ($account) = @_;
    my %field = $account =~ /^(\w+)\s+(.*?)\s*$/mg;
    return '' if ($field{failed} // '0') !~ /^([1-9]\d*)\s*:\s*(.*)/;
    my ($code, $why) = ($1, $2);
    return '' if $code == 30;    # the exit status 100 of our own job script
    return "a limit was reached: $why; ask for more with --time or --mem"
        if $code == 37;
    return "Grid Engine: $why (failed $code, maxvmem $field{maxvmem})";
}

1;
