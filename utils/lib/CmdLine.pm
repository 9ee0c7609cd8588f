package CmdLine;

# The command line that run.pl, stdout.pl, queue.pl, slurm.pl and pbs.pl share:
#
#   X.pl [options] [JOB=1:N] LOG command args...
#
# parse() takes it apart; for_task() fills in one task's number. Nothing here starts
# a job or knows a scheduler.
#
# Every option takes one value, but for -V (none) and -pe (two). Options may stand
# before and after JOB=1:N. The word before "=" is any identifier; it is replaced by
# the task's number everywhere in LOG and in the command.

use strict;
use warnings;
use Exporter 'import';
use File::Basename 'basename';

our @EXPORT_OK = qw(complain fail for_task log_glob parse);

my $PROGRAM = basename($0);

sub complain {
    my ($message) = @_;
    print STDERR "$PROGRAM: $message\n";
    return;
}

sub fail {
    my ($message) = @_;
    complain($message);
    exit 1;
}

# Returns {options, passed, max_jobs_run, job, log, command}:
#   options       {num_threads => 4, ...}: the --name value pairs, dashes made
#                 underscores; the last of equal names counts
#   passed        [-l, x, ...]: options with one dash, for the submit command
#   max_jobs_run  the smallest that was given, or undef
#   job           {name, start, end}, or undef without JOB=
#   command       one line of bash
sub parse {
    my ($usage, @words) = @_;
    if (@words && $words[0] =~ /^(?:-h|--help)$/) {
        print $usage;
        exit 0;
    }
    my %line = (options => {}, passed => []);
    for (1 .. 2) {
        take_option(\%line, \@words) while @words >= 2 && $words[0] =~ /^-/;
        $line{job} = take_range(\@words) || $line{job} if @words;
    }
    if (@words < 2) {
        print STDERR $usage;
        exit 1;
    }
    $line{log} = shift @words;
    my $job = $line{job};
    if ($job && $job->{end} > $job->{start} && index($line{log}, $job->{name}) < 0) {
        fail("you are trying to run a parallel job but you are putting the output"
              . " into just one log file ($line{log}); put $job->{name} in its name");
    }
    $line{command} = join(' ', map { quote($_) } @words);
    return \%line;
}

sub take_option {
    my ($line, $words) = @_;
    my $option = shift @$words;
    if ($option eq '-V') {
        push @{ $line->{passed} }, $option;
        return;
    }
    my $value = shift @$words;
    return if $option eq '-sync';    # all programs wait for their jobs
    if ($value =~ /^--/) {
        complain("WARNING: suspicious argument '$value' to $option; starts with '-'");
    }
    if ($option eq '-tc' || $option =~ /^--max[-_]jobs[-_]run$/) {
        fail("expected a number above 0 after $option, got '$value'")
            if $value !~ /^[1-9][0-9]*$/;
        my $least = $line->{max_jobs_run};
        $line->{max_jobs_run} = $value if !defined $least || $value < $least;
    }
    elsif ($option =~ /^--(.+)/) {
        (my $name = $1) =~ tr/-/_/;
        $line->{options}{$name} = $value;
    }
    elsif ($option eq '-pe' && @$words) {
        push @{ $line->{passed} }, $option, $value, shift @$words;
    }
    else {
        push @{ $line->{passed} }, $option, $value;
    }
    return;
}

sub take_range {
    my ($words) = @_;
    if ($words->[0] =~ /^([A-Za-z_]\w*)=(\d+)(?::(\d+))?$/) {
        my %job = (name => $1, start => $2, end => $3 // $2);
        my $range = shift @$words;
        fail("invalid job range $range: the first number is above the last")
            if $job{start} > $job{end};
        fail("invalid job range $range, start must be strictly positive"
              . ' (this is required for GridEngine compatibility)')
            if $job{start} < 1;
        return \%job;
    }
    complain("Warning: suspicious first argument: $words->[0]")
        if $words->[0] =~ /=.*:/;
    return;
}

# A word without white space reaches bash as it is, so that \|, \> and \$x work.
# Others are quoted: with '..' if they hold a double quote, else with "..".
sub quote {
    my ($word) = @_;
    return $word if $word =~ /^\S+$/;
    return "\"$word\"" if $word !~ /"/;
    $word =~ s/'/'\\''/g;
    return "'$word'";
}

# The text for task number $id.
sub for_task {
    my ($text, $job, $id) = @_;
    $text =~ s/\Q$job->{name}\E/$id/g if $job;
    return $text;
}

# The name under which all logs of the job are reported: exp/log.*.log
sub log_glob {
    my ($line) = @_;
    return for_task($line->{log}, $line->{job}, '*');
}

1;
