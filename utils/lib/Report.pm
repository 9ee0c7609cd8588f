package Report;

# What a program of utils/ says at its end when tasks failed, and its exit status:
# one line as in Kaldi, and for an array a line for each of the first failed tasks.

use strict;
use warnings;
use CmdLine qw(complain log_glob);
use Config;
use Exporter 'import';

our @EXPORT_OK = qw(describe_signal first_few interrupted report);

my $NAMED = 5;    # so many failed tasks are looked into and get a line of their own
my %NUMBER = (HUP => 1, INT => 2, TERM => 15);

# $failures: a list of {id, log, why} and, where known, status.
sub report {
    my ($line, $count, $failures) = @_;
    return 0 if !@$failures;
    if ($count == 1) {
        my ($only) = @$failures;
        my $status = defined $only->{status} ? " with status $only->{status}" : '';
        my $why = $only->{why} eq '' ? '' : " ($only->{why})";
        complain("job failed$status, log is in $only->{log}$why");
        complain('probably you forgot to put JOB=1:$nj in your script.')
            if $only->{log} =~ /JOB/;
        return 1;
    }
    complain(@$failures . " / $count failed, log is in " . log_glob($line));
    for my $failure (first_few(@$failures)) {
        my $why = $failure->{why};
        $why = "status $failure->{status}" . ($why eq '' ? '' : " ($why)")
            if defined $failure->{status};
        complain("$line->{job}{name}=$failure->{id}: $why, log is in $failure->{log}");
    }
    return 1;
}

sub first_few {
    my (@all) = @_;
    splice(@all, $NAMED) if @all > $NAMED;
    return @all;
}

# After INT, TERM or HUP; $what was done about the tasks.
sub interrupted {
    my ($line, $signal, $what) = @_;
    complain("got SIG$signal, $what; log is in " . log_glob($line));
    return 128 + $NUMBER{$signal};
}

# A signal in words, by its number above $base, which shells add to exit statuses; ''
# if it is none.
sub describe_signal {
    my ($code, $base) = @_;
    $code -= $base // 0;
    my @names = split(' ', $Config{sig_name});
    return '' if $code < 1 || $code > 64 || !defined $names[$code];
    my $hint = $names[$code] eq 'KILL' ? ', often for want of memory' : '';
    return "killed by signal $code ($names[$code])$hint";
}

1;
